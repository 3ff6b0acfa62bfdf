// The command line of psctl.
#include <fcntl.h>
#include <parallelstate.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "bench.h"
#include "demo.h"
#include "demo_rank.h"
#include "info.h"
#include "plan.h"
#include "run.h"

namespace {

// So that no pipe gets the number of a standard stream that the caller has closed.
void open_standard_streams() {
  int fd;
  do {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd <= 2);
  if (fd >= 0) ::close(fd);
}

std::string version() {
  const int32_t number = psVersion();
  return "psctl, ParallelState " + std::to_string(number / 10000) + "." + std::to_string(number / 100 % 100) + "." +
         std::to_string(number % 100);
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("Starts and inspects worlds of ParallelState.", "psctl");
  app.require_subcommand(1);
  app.set_version_flag("--version", version);
  app.add_subcommand("run", "Start the ranks of a world on this machine (psctl run --help)");

  CLI::App* info = app.add_subcommand("info", "Show the library's version, its build, and what this machine offers it");
  std::string format = "table";
  bool dispatch = false;
  info->add_flag("--dispatch", dispatch, "Show only which algorithm runs what, with the rules of PS_DISPATCH");
  info->add_option("--format", format, "How to print it")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();

  psctl::PlanOptions plan_options;
  CLI::App* plan = psctl::add_plan_command(app, plan_options);

  psctl::BenchOptions bench_options;
  CLI::App* bench = psctl::add_bench_command(app, bench_options);

  CLI::App* demo = app.add_subcommand("demo", "Show a world of four ranks in C++, Python, Rust and Go, one of which dies");
  psctl::DemoOptions options;
  bool keep_alive = false;
  demo->add_option("--python", options.python, "The Python interpreter")->capture_default_str();
  demo->add_option("--python-path", options.python_path, "The folder that holds the Python package parallelstate");
  demo->add_option("--rust", options.rust, "The Rust rank's program, if it is not beside psctl");
  demo->add_option("--go", options.go, "The Go rank's program, if it is not beside psctl");
  demo->add_flag("--no-kill", keep_alive, "Let all ranks live");

  CLI::App* bench_rank = psctl::add_bench_rank_command(app, bench_options);
  CLI::App* demo_rank = app.add_subcommand("demo-rank", "")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  options.kill = !keep_alive;
  if (info->parsed()) return psctl::info_command(format, dispatch);
  if (plan->parsed()) return psctl::plan_command(plan_options);
  if (bench->parsed()) return psctl::bench_command(bench_options, bench->count("--ranks") > 0, {argv + 2, argv + argc});
  if (bench_rank->parsed()) return psctl::bench_rank(bench_options);
  if (demo->parsed()) return psctl::demo_command(options);
  if (demo_rank->parsed()) return psctl::demo_rank();
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  try {
    // Its own parser: what follows the command belongs to the command, and ":" begins another program.
    if (argc > 1 && std::string(argv[1]) == "run") return psctl::run_command({argv + 2, argv + argc});
    return parse_and_run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "psctl: %s\n", error.what());
    return 1;
  }
}
