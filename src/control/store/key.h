// What a caller's key may be.
#pragma once

#include <string>
#include <string_view>

namespace ps {

// A key as an error shows it: bounded and printable.
std::string shown_key(std::string_view key);

}  // namespace ps
