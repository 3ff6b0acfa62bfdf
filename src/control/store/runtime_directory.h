// The directory in which one user's jobs on this host meet, which nobody else can enter.
#pragma once

#include <string>

namespace ps {

// "/tmp/parallelstate-<uid>": the same for all processes of the user, whatever their environment says.
std::string runtime_directory();

// Makes it, mode 0700. Errors: DENIED when somebody else owns it or can enter it.
void ensure_runtime_directory();

}  // namespace ps
