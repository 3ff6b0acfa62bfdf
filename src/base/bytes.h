// Little-endian fields, in frames and in what ranks tell each other (wire.h). The reader never looks past its end: a
// short or odd message makes it fail, and every later read then gives zeros, so that a parser checks once, at its end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace ps {

class ByteWriter {
 public:
  template <class Integer>
  void integer(Integer value) {
    auto bits = static_cast<std::make_unsigned_t<Integer>>(value);
    for (size_t i = 0; i < sizeof(Integer); ++i) {
      bytes_.push_back(static_cast<char>(static_cast<uint64_t>(bits) >> (8 * i) & 0xff));
    }
  }
  void fixed(std::string_view bytes) { bytes_.append(bytes); }
  void text(std::string_view bytes) {
    integer(static_cast<uint32_t>(bytes.size()));
    bytes_.append(bytes);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <class Integer>
  Integer integer() {
    const std::string_view bytes = fixed(sizeof(Integer));
    uint64_t bits = 0;
    for (size_t i = 0; i < bytes.size(); ++i) bits |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    return static_cast<Integer>(bits);
  }
  // The next `size` bytes; empty when there are fewer.
  std::string_view fixed(size_t size) {
    if (size > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  // A length and as many bytes, at most `longest`.
  std::string_view text(size_t longest) {
    const auto size = integer<uint32_t>();
    if (size > longest) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    return fixed(size);
  }
  std::string_view rest() { return fixed(rest_.size()); }
  size_t left() const { return rest_.size(); }
  bool failed() const { return failed_; }
  // Everything was there and nothing is left over.
  bool complete() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace ps
