// The directory in which one user's jobs on this host meet, which nobody else can enter.
#pragma once

#include <string>

namespace ps {

// $XDG_RUNTIME_DIR/parallelstate where that variable names a directory of this user, else /tmp/parallelstate-<uid>.
std::string runtime_directory();

// Makes it, mode 0700. Errors: ARGUMENT when what stands there is not a directory of this user alone.
void ensure_runtime_directory();

}  // namespace ps
