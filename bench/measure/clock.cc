#include "measure/clock.h"

#include <algorithm>
#include <array>

namespace measure {

int64_t clock_cost_ns() {
  std::array<int64_t, 301> ns;
  for (int64_t& cost : ns) {
    const int64_t start = now_ns();
    cost = now_ns() - start;
  }
  const auto middle = ns.begin() + ns.size() / 2;
  std::nth_element(ns.begin(), middle, ns.end());
  return *middle;
}

}  // namespace measure
