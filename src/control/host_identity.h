// Which ranks may share memory: those with one boot of one kernel, one network namespace, and one PS_HOST_ID.
#pragma once

#include <string>

namespace ps {

// Equal on two ranks exactly where an abstract UNIX socket can carry memory between them. `override` is PS_HOST_ID.
std::string host_identity(const std::string& override_id);

}  // namespace ps
