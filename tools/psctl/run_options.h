// The command line of `psctl run`.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace psctl {

using Variables = std::vector<std::pair<std::string, std::string>>;

// Ranks that run one command. The ranks of a world are those of its programs, in the order in which they are written.
struct Program {
  int count = 1;
  std::vector<std::string> command;
  Variables variables;  // over everything else that is set
};

struct RunOptions {
  std::vector<Program> programs;
  double timeout_s = 0;  // 0: none
  double grace_s = 5;    // between SIGTERM and SIGKILL
  bool keep_going = false;
  bool quiet = false;

  // Several nodes, each with a psctl of its own.
  int nnodes = 1;
  int node_rank = 0;
  std::string rendezvous;  // host:port, the same on all nodes
  std::string secret_file;
  double meet_timeout_s = 300;

  // The ranks of this node.
  int local_size() const;
};

// `arguments` is what follows "run". When it is wrong, or asks for help, prints that and returns false with *exit_code
// set.
bool parse_run(std::vector<std::string> arguments, RunOptions& options, int& exit_code);

}  // namespace psctl
