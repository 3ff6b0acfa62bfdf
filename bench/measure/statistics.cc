#include "measure/statistics.h"

#include <algorithm>
#include <cmath>

namespace measure {

double quantile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double place = std::ceil(q * static_cast<double>(values.size())) - 1;
  return values[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(values.size() - 1)))];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace measure
