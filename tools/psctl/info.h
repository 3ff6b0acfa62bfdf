// `psctl info`: what the library says of itself and of this machine.
#pragma once

#include <string>

namespace psctl {

// `format` is "table" or "json". `dispatch`: the dispatch table alone, with the rules of PS_DISPATCH.
int info_command(const std::string& format, bool dispatch);

}  // namespace psctl
