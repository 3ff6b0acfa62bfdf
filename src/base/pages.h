// Sizes in whole units, and the unit in which memory is mapped.
#pragma once

#include <cstddef>

namespace ps {

inline constexpr size_t kPage = 4096;

constexpr size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

constexpr size_t whole_pages(size_t bytes) { return round_up(bytes, kPage); }

}  // namespace ps
