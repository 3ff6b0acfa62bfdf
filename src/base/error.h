// One exception type for everything that goes wrong inside; the API's firewall turns it into a psResult and a text.
#pragma once

#include <fmt/core.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "parallelstate.h"

namespace ps {

class Error : public std::exception {
 public:
  Error(psResult code, std::string text, int32_t culprit = PS_NO_RANK)
      : code_(code), culprit_(culprit), text_(std::move(text)) {}

  psResult code() const { return code_; }
  // The world rank that is to blame, PS_NO_RANK where nobody is.
  int32_t culprit() const { return culprit_; }
  const std::string& text() const { return text_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  psResult code_;
  int32_t culprit_;
  std::string text_;
};

template <class... Args>
[[noreturn]] void fail(psResult code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

// "text: No such file or directory", for a failed system call; reads errno first.
template <class... Args>
[[noreturn]] void fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int error = errno;
  throw Error(PS_ERR_SYSTEM, fmt::format(format, std::forward<Args>(args)...) + ": " + std::strerror(error));
}

const char* result_name(psResult result);

}  // namespace ps
