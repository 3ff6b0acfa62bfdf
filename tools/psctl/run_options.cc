#include "run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

namespace psctl {
namespace {

constexpr int kMostRanks = 4096;

constexpr const char* kExamples = R"(Examples:
  psctl run -n 4 -- python3 train.py
  psctl run -n 4 --timeout 60 --env PS_LOG_LEVEL=info -- ./program --its-own --options
  psctl run -n 1 ./coordinator : -n 3 ./worker

Each rank finds PS_RANK, PS_WORLD_SIZE and the other variables of this library in its environment, and those of torchrun
(RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR ...). Its standard input is /dev/null.

The exit code is that of the rank that failed first (128 + the number of the signal that ended it), 124 after a timeout,
127 when a command was not found, else 0.)";

Variables parse_variables(const std::vector<std::string>& settings) {
  Variables variables;
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw CLI::ValidationError("--env", "\"" + setting + "\" is not NAME=VALUE");
    }
    variables.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return variables;
}

// One program's part of the command line; what concerns the whole run stands in the first.
void parse_segment(std::vector<std::string> arguments, bool is_first, RunOptions& options) {
  CLI::App app("Starts the ranks of one world on this machine and looks after them.", "psctl run");
  app.footer(kExamples);
  app.prefix_command();
  app.set_help_flag("-h,--help", "Print this text");
  Program program;
  std::vector<std::string> settings;
  app.add_option("-n,--ranks", program.count, "How many ranks run the command")->check(CLI::Range(1, kMostRanks));
  app.add_option("--env", settings, "NAME=VALUE for these ranks' environment; may be repeated")
      ->allow_extra_args(false);
  if (is_first) {
    app.add_option("--timeout", options.timeout_s, "End all ranks after so many seconds, with exit code 124")
        ->check(CLI::PositiveNumber);
    app.add_option("--grace", options.grace_s, "Seconds between SIGTERM and SIGKILL")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--keep-going", options.keep_going, "Do not end the other ranks when one fails");
    app.add_flag("-q,--quiet", options.quiet, "Report failures only, not every rank's end");
  }
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
  try {
    app.parse(arguments);
    program.command = app.remaining();
    if (!program.command.empty() && program.command.front() == "--") program.command.erase(program.command.begin());
    if (program.command.empty()) {
      throw CLI::ValidationError("psctl run", is_first ? "no command to run; write it after --"
                                                       : "no command to run after \":\"");
    }
    if (program.command.front().starts_with("-")) {
      throw CLI::ValidationError("psctl run", "unknown option " + program.command.front() +
                                                  " (an option of the command comes after the command)");
    }
    program.variables = parse_variables(settings);
  } catch (const CLI::ParseError& error) {
    throw app.exit(error, std::cout, std::cerr);
  }
  options.programs.push_back(std::move(program));
}

}  // namespace

int RunOptions::world_size() const {
  int size = 0;
  for (const Program& program : programs) size += program.count;
  return size;
}

bool parse_run(std::vector<std::string> arguments, RunOptions& options, int& exit_code) {
  try {
    auto begin = arguments.begin();
    while (true) {
      const auto end = std::find(begin, arguments.end(), ":");
      parse_segment({begin, end}, begin == arguments.begin(), options);
      if (end == arguments.end()) break;
      begin = end + 1;
    }
  } catch (int code) {
    exit_code = code == 0 ? 0 : 2;
    return false;
  }
  if (options.world_size() > kMostRanks) {
    std::cerr << "psctl run: " << options.world_size() << " ranks are more than " << kMostRanks << "\n";
    exit_code = 2;
    return false;
  }
  return true;
}

}  // namespace psctl
