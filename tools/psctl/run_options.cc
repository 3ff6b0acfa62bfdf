#include "run_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <iostream>

namespace psctl {
namespace {

constexpr int kMostRanks = 4096;
constexpr int kMostNodes = 4096;

constexpr const char* kExamples = R"(Examples:
  psctl run -n 4 -- python3 train.py
  psctl run -n 4 --timeout 60 --env PS_LOG_LEVEL=info -- ./program --its-own --options
  psctl run -n 1 ./coordinator : -n 3 ./worker

Several hosts, each with its own number of ranks; on node I, 0 or 1:
  psctl run -n 4 --nnodes 2 --node-rank I --rendezvous node0:29400 --secret-file job.secret -- ./program
A rank that fails, or Ctrl-C, on one node ends the ranks on all, and each psctl returns the same exit code.

Each rank finds PS_RANK, PS_WORLD_SIZE and the other variables of this library in its environment, and those of torchrun
(RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR ...). Its standard input is /dev/null.

The exit code is that of the rank that failed first (128 + the number of the signal that ended it), 124 after a timeout,
127 when a command was not found, else 0.)";

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

[[noreturn]] void refuse(const std::string& text) { throw CLI::ValidationError("psctl run", text); }

void check_nodes(RunOptions& options) {
  const auto ends_with_port = [](const std::string& place) {
    const size_t colon = place.rfind(':');
    return colon != std::string::npos && colon > 0 && colon + 1 < place.size() &&
           place.find_first_not_of("0123456789", colon + 1) == std::string::npos;
  };
  if (options.nnodes == 1) {
    if (!options.rendezvous.empty() || options.node_rank != 0) {
      refuse("--rendezvous and --node-rank are for several nodes; say how many with --nnodes");
    }
    return;
  }
  const std::string nodes = "--nnodes " + std::to_string(options.nnodes);
  if (options.node_rank >= options.nnodes) {
    refuse("--node-rank " + std::to_string(options.node_rank) + " is not below " + nodes + "; nodes count from 0");
  }
  if (options.rendezvous.starts_with("tcp://")) options.rendezvous.erase(0, 6);
  if (options.rendezvous.empty()) {
    refuse(nodes + " needs --rendezvous HOST:PORT, with the host of node 0 and a free port");
  }
  if (!ends_with_port(options.rendezvous)) {
    refuse("--rendezvous \"" + options.rendezvous + "\" is not HOST:PORT (an IPv6 address goes in brackets)");
  }
  if (!options.secret_file.empty() || is_set("PS_SECRET") || is_set("PS_SECRET_FILE")) return;
  if (is_set("PS_ALLOW_UNAUTHENTICATED")) return;
  refuse(nodes + " needs a secret, by which the ranks on other hosts prove that they belong to this job. Make one "
         "with\n  (umask 077; head -c 32 /dev/urandom | base64 > job.secret)\n"
         "copy the file to every node, and give it with --secret-file job.secret or PS_SECRET_FILE "
         "(or the secret itself in PS_SECRET; or let everybody in with PS_ALLOW_UNAUTHENTICATED=1)");
}

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
    app.add_option("--nnodes", options.nnodes, "Several hosts: how many nodes, each with a psctl run of its own")
        ->check(CLI::Range(1, kMostNodes));
    app.add_option("--node-rank", options.node_rank, "Which node this is, from 0; ranks are numbered by node")
        ->check(CLI::Range(0, kMostNodes - 1));
    app.add_option("--rendezvous", options.rendezvous, "HOST:PORT where the nodes meet; HOST is node 0");
    app.add_option("--secret-file", options.secret_file,
                   "A file with the job's secret, the same on all nodes and private (or PS_SECRET_FILE, PS_SECRET)");
    app.add_option("--meet-timeout", options.meet_timeout_s, "Seconds to wait for the other nodes")
        ->check(CLI::PositiveNumber)
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
    if (is_first) check_nodes(options);
  } catch (const CLI::ParseError& error) {
    throw app.exit(error, std::cout, std::cerr);
  }
  options.programs.push_back(std::move(program));
}

}  // namespace

int RunOptions::local_size() const {
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
  if (options.local_size() > kMostRanks) {
    std::cerr << "psctl run: " << options.local_size() << " ranks are more than " << kMostRanks << "\n";
    exit_code = 2;
    return false;
  }
  return true;
}

}  // namespace psctl
