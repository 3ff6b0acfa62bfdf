// Starting a rank so that it cannot outlive its parent: its own process group, and the parent-death signal.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

#include "descriptor.h"

namespace psctl {

struct RankProcess {
  pid_t pid = -1;  // also its process group
  Descriptor out;  // what it writes, non-blocking
  Descriptor err;
  int exec_errno = 0;  // why its command could not be run; it then ends with 126 or 127
};

// `mask` is the signal mask that the rank starts with. Throws std::system_error when there are no more processes or
// descriptors.
RankProcess start_rank(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                       const sigset_t& mask);

}  // namespace psctl
