// A point on the monotonic clock by which something must be done. Every wait in the library takes one.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <limits>

namespace ps {

inline int64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// A few milliseconds stale and several times cheaper; for time stamps that people read.
inline int64_t monotonic_coarse_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class Deadline {
 public:
  static Deadline never() { return Deadline(std::numeric_limits<int64_t>::max()); }
  static Deadline at_ns(int64_t ns) { return Deadline(ns); }
  static Deadline in_ms(int64_t ms) {
    const int64_t now = monotonic_ns();
    constexpr int64_t kLongest = std::numeric_limits<int64_t>::max() / 1'000'000 / 2;
    if (ms >= kLongest) return never();
    return Deadline(now + std::max<int64_t>(ms, 0) * 1'000'000);
  }

  int64_t ns() const { return ns_; }
  int64_t remaining_ns() const { return std::max<int64_t>(ns_ - monotonic_ns(), 0); }
  // Rounded up, so that waiting this long does reach the deadline.
  int64_t remaining_ms() const { return (remaining_ns() + 999'999) / 1'000'000; }
  bool passed() const { return monotonic_ns() >= ns_; }
  Deadline or_earlier(Deadline other) const { return Deadline(std::min(ns_, other.ns_)); }

 private:
  explicit Deadline(int64_t ns) : ns_(ns) {}
  int64_t ns_;
};

}  // namespace ps
