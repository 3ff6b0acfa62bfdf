// Copies of a few bytes, nearly all of which are one element or two: a call into the C library is longer than those.
#pragma once

#include <cstddef>
#include <cstring>

namespace ps {

// The ranges do not overlap.
inline void copy_few(std::byte* to, const std::byte* from, size_t bytes) {
  if (bytes == 8) {
    std::memcpy(to, from, 8);
  } else if (bytes == 4) {
    std::memcpy(to, from, 4);
  } else if (bytes > 0) {
    std::memcpy(to, from, bytes);
  }
}

}  // namespace ps
