// `psctl run`: a world of ranks on this machine that leaves nothing behind.
#pragma once

#include <string>
#include <vector>

#include "run_options.h"
#include "supervisor.h"

namespace psctl {

// Starts the ranks and returns the exit code when they, and all that they started, are gone.
int run_world(const RunOptions& options, const Verdict& verdict = {});

// `arguments` is what follows "run".
int run_command(const std::vector<std::string>& arguments);

}  // namespace psctl
