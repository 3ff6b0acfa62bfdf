#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace ps {
namespace {

constexpr std::array<const char*, 6> kLevels = {"off", "error", "warn", "info", "debug", "trace"};

}  // namespace

void Logger::write(psLogLevel level, std::string text) const {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (!speaker_.empty()) text = speaker_ + ": " + text;
  if (function_ != nullptr) {
    function_(user_, level, text.c_str());
    return;
  }
  // One write, so that the lines of many ranks on one terminal stay whole.
  const std::string line = fmt::format("parallelstate {}: {}\n", kLevels[static_cast<size_t>(level - PS_LOG_OFF)], text);
  [[maybe_unused]] const ssize_t ignored = ::write(STDERR_FILENO, line.data(), line.size());
}

psLogLevel parse_log_level(const std::string& name) {
  const auto found = std::find(kLevels.begin(), kLevels.end(), name);
  if (found == kLevels.end()) {
    fail(PS_ERR_ARGUMENT, "PS_LOG_LEVEL=\"{}\" is no log level; use off, error, warn, info, debug or trace", name);
  }
  return PS_LOG_OFF + static_cast<psLogLevel>(found - kLevels.begin());
}

}  // namespace ps
