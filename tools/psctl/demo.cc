#include "demo.h"

#include <dlfcn.h>
#include <parallelstate.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "run.h"

namespace psctl {
namespace {

constexpr double kTimeoutSeconds = 120;
constexpr int kVictim = 2;

std::filesystem::path own_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

// The library that this process runs on, for the Python ranks to run on the same.
std::string library_path() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(&psVersion), &info) == 0 || info.dli_fname == nullptr) return "";
  std::error_code ignored;
  return std::filesystem::canonical(info.dli_fname, ignored).string();
}

std::string find_binding(const DemoOptions& options) {
  if (!options.python_path.empty()) return options.python_path;
  std::error_code ignored;
  const auto beside = std::filesystem::weakly_canonical(own_path().parent_path() / "../../bindings/python", ignored);
  return std::filesystem::exists(beside / "parallelstate" / "__init__.py", ignored) ? beside.string() : "";
}

Variables python_variables(const DemoOptions& options) {
  Variables variables;
  if (const std::string library = library_path(); !library.empty()) variables.emplace_back("PS_LIBRARY", library);
  if (std::string path = find_binding(options); !path.empty()) {
    const char* inherited = std::getenv("PYTHONPATH");
    if (inherited != nullptr && *inherited != '\0') path += std::string(":") + inherited;
    variables.emplace_back("PYTHONPATH", path);
  }
  return variables;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// "" when the interpreter can run a rank, else the last line of what it said.
std::string why_python_cannot(const std::string& python, const Variables& variables) {
  std::string command = "env";
  for (const auto& [name, value] : variables) command += " " + shell_quoted(name + "=" + value);
  command += " timeout 20 " + shell_quoted(python) + " -c 'import parallelstate.demo' 2>&1 < /dev/null";
  FILE* output = ::popen(command.c_str(), "re");
  if (output == nullptr) return "no shell could be started";
  std::string last;
  char line[512];
  while (std::fgets(line, sizeof line, output) != nullptr) last = line;
  const int status = ::pclose(output);
  if (status == 0) return "";
  while (!last.empty() && last.back() == '\n') last.pop_back();
  return last.empty() ? "it ended with status " + std::to_string(WEXITSTATUS(status)) : last;
}

int verdict(const std::vector<RankEnd>& ends, bool kill) {
  bool as_expected = true;
  for (size_t i = 0; i < ends.size(); ++i) {
    const int status = ends[i].status;
    const bool is_victim = kill && i == kVictim;
    const bool killed_itself = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && !ends[i].was_signalled;
    as_expected = as_expected && (is_victim ? killed_itself : status == 0);
  }
  if (!as_expected) {
    std::printf("\nThe demonstration did NOT go as expected: see what the ranks printed above.\n");
  } else if (kill) {
    std::printf(
        "\nAll as expected: rank %d is dead, and every other rank got an error that names it instead of hanging.\n",
        kVictim);
  } else {
    std::printf("\nAll as expected.\n");
  }
  std::fflush(stdout);
  return as_expected ? 0 : 1;
}

}  // namespace

int demo_command(const DemoOptions& options) {
  const Program cxx{1, {own_path().string(), "demo-rank"}, {{"PS_DEMO_KILL", options.kill ? "1" : "0"}}};
  Program python{1, {options.python, "-u", "-m", "parallelstate.demo"}, python_variables(options)};
  const std::string obstacle = why_python_cannot(options.python, python.variables);
  python.variables.push_back(cxx.variables.front());
  if (!obstacle.empty()) {
    std::printf("Python cannot take part (%s: %s), so all ranks are C++.\n", options.python.c_str(), obstacle.c_str());
    python = cxx;
  }
  std::printf("A world of four ranks, each a process, in the groups tp = [0,1] [2,3] and dp = [0,2] [1,3].\n\n");
  RunOptions run;
  run.programs = {cxx, python, cxx, python};
  run.timeout_s = kTimeoutSeconds;
  run.keep_going = true;
  run.quiet = true;
  return run_world(run, [&](const std::vector<RankEnd>& ends) { return verdict(ends, options.kill); });
}

}  // namespace psctl
