#include "measure/line_latency.h"

#include <sched.h>

#include <vector>

#include "measure/clock.h"
#include "measure/statistics.h"

namespace measure {
namespace {

constexpr int kBatches = 41;
constexpr int kWarmUpBatches = 10;  // one of the two may just have been woken
constexpr int kRoundTrips = 48;     // a batch: many, so that reading the clock does not count
constexpr int kLoadsBeforeYield = 20000;

// Without a pause, which would be longer than what is measured.
void await(const std::atomic<uint64_t>& line, uint64_t value) {
  for (int loads = 0; line.load(std::memory_order_acquire) != value; ++loads) {
    if (loads >= kLoadsBeforeYield) ::sched_yield();
  }
}

// While it lives, ranks 0 and 1 are on processors of their own: on one, no line would go anywhere.
class Apart {
 public:
  explicit Apart(int rank) {
    is_bound_ = rank < 2 && ::sched_getaffinity(0, sizeof before_, &before_) == 0 && bind_to_processor(rank, 2);
  }
  Apart(const Apart&) = delete;
  ~Apart() {
    if (is_bound_) ::sched_setaffinity(0, sizeof before_, &before_);
  }

 private:
  cpu_set_t before_;
  bool is_bound_;
};

}  // namespace

double line_latency_ns(Meeting& meeting) {
  if (meeting.ranks() < 2) return 0;
  std::atomic<uint64_t>& line = meeting.region().head().flipped.value;
  const uint64_t before = line.load();
  const Apart apart(meeting.rank());
  meeting.rest();
  std::vector<double> ns;
  const int all = kWarmUpBatches + kBatches;
  if (meeting.rank() < 2) {
    uint64_t value = before;
    for (int batch = 0; batch < all; ++batch) {
      const int64_t start = now_ns();
      for (int trip = 0; trip < kRoundTrips; ++trip, value += 2) {
        if (meeting.rank() == 0) {
          line.store(value + 1, std::memory_order_release);
          await(line, value + 2);
        } else {
          await(line, value + 1);
          line.store(value + 2, std::memory_order_release);
        }
      }
      const double one_way = static_cast<double>(now_ns() - start) / (2.0 * kRoundTrips);
      if (batch >= kWarmUpBatches) ns.push_back(one_way);
    }
  }
  const auto picoseconds = static_cast<int64_t>(ns.empty() ? 0 : median(ns) * 1000);
  return static_cast<double>(meeting.tell(picoseconds)) / 1000;
}

}  // namespace measure
