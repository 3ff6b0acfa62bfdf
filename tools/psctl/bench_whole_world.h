// What belongs to a world as a whole: how long it takes to form, how much memory each rank has for it, and how much
// processor time a rank takes that does nothing. Each function is one rank of it and returns its exit code.
#pragma once

#include "bench.h"

namespace psctl {

int bench_formation(const BenchOptions& options);
int bench_idle(const BenchOptions& options);

}  // namespace psctl
