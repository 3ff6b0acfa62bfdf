// Fixed little encoding for what ranks tell each other: integers in little-endian order, strings with their length. The
// reader checks every bound, so bytes from outside can at most be refused.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace ps {

class WireWriter {
 public:
  template <class Integer>
  WireWriter& number(Integer value) {
    static_assert(std::is_integral_v<Integer>);
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    for (size_t i = 0; i < sizeof(Integer); ++i) {
      bytes_.push_back(static_cast<char>(bits & 0xff));
      bits = static_cast<decltype(bits)>(bits >> 4 >> 4);
    }
    return *this;
  }
  WireWriter& text(std::string_view value) {
    number(static_cast<uint32_t>(value.size()));
    bytes_.append(value);
    return *this;
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class WireReader {
 public:
  // `what` names the bytes in errors.
  WireReader(std::string_view bytes, const char* what) : rest_(bytes), what_(what) {}

  template <class Integer>
  Integer number() {
    static_assert(std::is_integral_v<Integer>);
    const std::string_view part = take(sizeof(Integer));
    std::make_unsigned_t<Integer> bits = 0;
    for (size_t i = sizeof(Integer); i-- > 0;) {
      bits = static_cast<decltype(bits)>(bits << 4 << 4 | static_cast<unsigned char>(part[i]));
    }
    return static_cast<Integer>(bits);
  }
  std::string text() { return std::string(view()); }
  // A text where it lies.
  std::string_view view() { return take(number<uint32_t>()); }
  // Errors: INTERNAL when bytes are left over.
  void finish() const {
    if (!rest_.empty()) fail(PS_ERR_INTERNAL, "{}: {} bytes too many", what_, rest_.size());
  }

 private:
  std::string_view take(size_t size) {
    if (size > rest_.size()) fail(PS_ERR_INTERNAL, "{}: cut short, {} bytes wanted, {} there", what_, size, rest_.size());
    const std::string_view part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }

  std::string_view rest_;
  const char* what_;
};

}  // namespace ps
