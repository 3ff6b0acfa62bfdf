// The clock of every measurement: the same for all processes of a host.
#pragma once

#include <time.h>

#include <cstdint>

namespace measure {

inline int64_t now_ns() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What reading it twice, with nothing between, says; the median of some hundred times.
int64_t clock_cost_ns();

}  // namespace measure
