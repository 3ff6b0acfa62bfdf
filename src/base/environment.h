// Environment variables, read once where a context starts. Empty counts as unset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ps {

std::optional<std::string> environment(const char* name);

// Errors: ARGUMENT naming the variable, its value and the range.
std::optional<int64_t> environment_integer(const char* name, int64_t least, int64_t most);

// The whole text as a decimal integer, nothing else.
std::optional<int64_t> parse_integer(std::string_view text);

}  // namespace ps
