// The results of `psctl bench` as text and as a picture.
#pragma once

#include <string>
#include <vector>

#include "measure/point.h"

namespace psctl {

std::string bench_table(const std::vector<measure::PointResult>& results);
// Latency and bandwidth over size, all axes logarithmic, a line for every operation. Points without a size are left
// out.
std::string bench_svg(const std::vector<measure::PointResult>& results);

}  // namespace psctl
