// One line an event, to the function of psConfig or to stderr; quiet unless asked. Never given a secret.
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

#include "parallelstate.h"

namespace ps {

class Logger {
 public:
  Logger() = default;
  Logger(psLogLevel level, psLogFunction function, void* user) : level_(level), function_(function), user_(user) {}

  // Who speaks, as "rank 2/4"; part of every line once known.
  void set_speaker(std::string speaker) { speaker_ = std::move(speaker); }
  bool enabled(psLogLevel level) const { return level <= level_; }
  psLogLevel level() const { return level_; }

  template <class... Args>
  void error(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(PS_LOG_ERROR)) write(PS_LOG_ERROR, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void warn(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(PS_LOG_WARN)) write(PS_LOG_WARN, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void info(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(PS_LOG_INFO)) write(PS_LOG_INFO, fmt::format(format, std::forward<Args>(args)...));
  }
  template <class... Args>
  void debug(fmt::format_string<Args...> format, Args&&... args) const {
    if (enabled(PS_LOG_DEBUG)) write(PS_LOG_DEBUG, fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  void write(psLogLevel level, std::string text) const;

  psLogLevel level_ = PS_LOG_ERROR;
  psLogFunction function_ = nullptr;
  void* user_ = nullptr;
  std::string speaker_;
};

// "warn" -> PS_LOG_WARN. Errors: ARGUMENT listing the names.
psLogLevel parse_log_level(const std::string& name);

}  // namespace ps
