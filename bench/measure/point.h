// What was found out about a point, as one line of JSON.
#pragma once

#include <string>

#include "measure/rounds.h"

namespace measure {

struct PointResult {
  Shape shape;
  std::string backend;  // who did the work: "shm", or the name of a peer library
  std::string path;     // which way the data went; "" when it is not known
  bool is_registered = false;
  bool is_verified = true;
  int rounds = 0;
  size_t iterations = 0;
  double median_us = 0;  // of the rounds' medians
  double p99_us = 0;     // of all iterations
  double min_us = 0;
  double line_ns = 0;    // the median of the probes
  double line_min_ns = 0;
  double line_max_ns = 0;
};

// Of the visits to one point. With those of one round it says what that round found.
PointResult summary(const Shape& shape, const std::vector<Visit>& visits);

// Keys: op, ranks, bytes, dtype, path, registered, backend, median_us, p99_us, min_us, iterations, rounds, algbw_gbs,
// busbw_gbs, line_ns, line_min_ns, line_max_ns, verified. No newline.
std::string json_line(const PointResult& result);

}  // namespace measure
