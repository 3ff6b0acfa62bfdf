// `psctl info`: what the library says of itself and of this machine.
#pragma once

#include <string>

namespace psctl {

// `format` is "table" or "json".
int info_command(const std::string& format);

}  // namespace psctl
