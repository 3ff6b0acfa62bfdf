#include "demo_participants.h"

#include <dlfcn.h>
#include <parallelstate.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace psctl {
namespace {

std::filesystem::path own_path() { return std::filesystem::read_symlink("/proc/self/exe"); }

// The library that this process runs on, for the Python rank to run on the same.
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

Participant python(const DemoOptions& options) {
  Program program{1, {options.python, "-u", "-m", "parallelstate.demo"}, python_variables(options)};
  std::string obstacle = why_python_cannot(options.python, program.variables);
  if (!obstacle.empty()) obstacle = options.python + ": " + obstacle;
  return {"Python", std::move(program), std::move(obstacle)};
}

// A program that the build put beside this one, or that the caller names.
Participant compiled(const std::string& language, const std::string& chosen, const std::string& name) {
  const std::string path = chosen.empty() ? (own_path().parent_path() / name).string() : chosen;
  const bool found = ::access(path.c_str(), X_OK) == 0;
  return {language, {1, {path}, {}}, found ? "" : "there is no program " + path};
}

}  // namespace

std::vector<Participant> find_participants(const DemoOptions& options) {
  return {{"C++", {1, {own_path().string(), "demo-rank"}, {}}, ""},
          python(options),
          compiled("Rust", options.rust, "parallelstate-demo-rust"),
          compiled("Go", options.go, "parallelstate-demo-go")};
}

}  // namespace psctl
