// What ranks tell each other through the store and its exchanges: the fields of bytes.h, written in a chain, and read by
// a reader that throws at the first that is not there. Bytes from outside can at most be refused.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace ps {

class WireWriter {
 public:
  template <class Integer>
  WireWriter& number(Integer value) {
    bytes_.integer(value);
    return *this;
  }
  WireWriter& text(std::string_view value) {
    bytes_.text(value);
    return *this;
  }
  std::string take() { return bytes_.take(); }

 private:
  ByteWriter bytes_;
};

class WireReader {
 public:
  // `what` names the bytes in errors.
  WireReader(std::string_view bytes, const char* what) : bytes_(bytes), what_(what) {}

  template <class Integer>
  Integer number() {
    const auto value = bytes_.integer<Integer>();
    check();
    return value;
  }
  std::string text() { return std::string(view()); }
  // A text where it lies.
  std::string_view view() {
    const std::string_view value = bytes_.text(UINT32_MAX);
    check();
    return value;
  }
  // Errors: INTERNAL when bytes are left over.
  void finish() const {
    if (bytes_.left() > 0) fail(PS_ERR_INTERNAL, "{}: {} bytes too many", what_, bytes_.left());
  }

 private:
  void check() const {
    if (bytes_.failed()) fail(PS_ERR_INTERNAL, "{}: cut short", what_);
  }

  ByteReader bytes_;
  const char* what_;
};

}  // namespace ps
