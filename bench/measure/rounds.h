// The measurement: rounds over all points, each visited for some iterations.
//
// Round 1 visits every point, then round 2 does, so that a change of the machine's state meets every point alike. A
// visit: the line latency; one run whose output is verified; a few more that tell how many iterations take the time of
// a visit; the iterations; the last output verified; the line latency again. An iteration: all meet, every rank
// rewrites its input, all meet, each takes the time, runs the operation and takes the time again. It took
//     max over ranks (end) - max over ranks (start) - what reading the clock adds
// so that waiting for a rank that started late is not counted, and a rank that is left early does not count as done.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "measure/meeting.h"
#include "measure/shape.h"
#include "measure/subject.h"

namespace measure {

struct Plan {
  int rounds = 3;
  int64_t iterations = 0;       // of a visit; 0: as many as fit in visit_seconds, at least 10
  double visit_seconds = 0.1;
};

// What rank 0 knows after a visit.
struct Visit {
  size_t point = 0;  // its place among the points
  int round = 0;
  double line_before_ns = 0;
  double line_after_ns = 0;
  bool is_verified = false;  // on every rank, before and after
  std::vector<double> us;    // of every iteration
};

// Called by all ranks with equal arguments; `done` is called on rank 0, while the others sleep. When a callback throws,
// the other ranks get Abandoned with its text.
void measure_rounds(Meeting& meeting, Subject& subject, const std::vector<Shape>& points, const Plan& plan,
                    const std::function<void(const Visit&)>& done);

}  // namespace measure
