#include "base/environment.h"

#include <charconv>
#include <cstdlib>

#include "base/error.h"

namespace ps {

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> environment_integer(const char* name, int64_t least, int64_t most) {
  const auto text = environment(name);
  if (!text) return std::nullopt;
  const auto value = parse_integer(*text);
  if (!value || *value < least || *value > most) {
    fail(PS_ERR_ARGUMENT, "the environment variable {}=\"{}\" must be a whole number from {} to {}", name, *text,
         least, most);
  }
  return value;
}

}  // namespace ps
