#include "control/waiting.h"

#include <algorithm>

namespace ps {
namespace {

// What a pause with its look at the flags takes at least, and a yield with nobody else to run; on other machines the
// true times are longer by a small factor.
constexpr int64_t kPauseNs = 25;
constexpr int64_t kYieldNs = 400;
// Longer polling only keeps others off the CPU: who yields is as quick to see a flag when nobody wants its place.
constexpr int64_t kPollNs = 2500;

}  // namespace

WaitPolicy WaitPolicy::of(bool crowded, int64_t spin_us) {
  const int64_t all = std::clamp<int64_t>(spin_us, 0, kMostSpinUs) * 1000;
  const int64_t polling = crowded ? 0 : std::min(all, kPollNs);
  WaitPolicy policy;
  policy.crowded = crowded;
  policy.spin_us = static_cast<int>(all / 1000);
  policy.pauses = static_cast<int>(polling / kPauseNs);
  policy.yields = static_cast<int>((all - polling) / kYieldNs);
  return policy;
}

}  // namespace ps
