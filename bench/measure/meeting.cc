#include "measure/meeting.h"

#include <linux/futex.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "measure/clock.h"

namespace measure {
namespace {

constexpr int kSpins = 4000;
constexpr int kSpinsWhenCrowded = 50;
constexpr int kYieldsBetweenChecks = 1000;

inline void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void sleep_while(std::atomic<uint32_t>& word, uint32_t value) {
  const timespec second{1, 0};
  ::syscall(SYS_futex, &word, FUTEX_WAIT, value, &second, nullptr, 0);
}

void wake_all(std::atomic<uint32_t>& word) { ::syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0); }

}  // namespace

Meeting::Meeting(Region& region, int rank)
    : region_(region), rank_(rank),
      spins_(region.ranks() > ::sysconf(_SC_NPROCESSORS_ONLN) ? kSpinsWhenCrowded : kSpins) {}

void Meeting::check(int64_t until) const {
  RegionHead& head = region_.head();
  if (head.aborted.load(std::memory_order_acquire) == 2) throw Abandoned(head.reason);
  if (now_ns() > until) throw Abandoned("rank " + std::to_string(rank_) + " waited too long for the other ranks");
}

void Meeting::meet() {
  ++meetings_;
  region_.arrivals(rank_).value.store(meetings_, std::memory_order_release);
  const int64_t until = now_ns() + kPatienceNs;
  for (int other = 0; other < ranks(); ++other) {
    const std::atomic<uint64_t>& arrived = region_.arrivals(other).value;
    for (int64_t turn = 0; arrived.load(std::memory_order_acquire) < meetings_; ++turn) {
      if (turn < spins_) {
        pause_briefly();
        continue;
      }
      if ((turn - spins_) % kYieldsBetweenChecks == kYieldsBetweenChecks - 1) check(until);
      ::sched_yield();
    }
  }
}

void Meeting::rest() {
  RegionHead& head = region_.head();
  const uint32_t before = head.rests.load();
  if (head.resting.fetch_add(1) + 1 == head.ranks) {
    head.resting.store(0);
    head.rests.fetch_add(1);
    wake_all(head.rests);
    return;
  }
  const int64_t until = now_ns() + kPatienceNs;
  while (head.rests.load() == before) {
    sleep_while(head.rests, before);
    if (head.rests.load() == before) check(until);
  }
}

int64_t Meeting::tell(int64_t of_rank_0) {
  if (rank_ == 0) region_.head().told.value.store(static_cast<uint64_t>(of_rank_0));
  rest();
  const auto told = static_cast<int64_t>(region_.head().told.value.load());
  rest();  // before it is overwritten
  return told;
}

bool Meeting::all(bool here) {
  region_.verdict(rank_).value.store(here ? 1 : 0);
  rest();
  bool everywhere = true;
  for (int rank = 0; rank < ranks(); ++rank) everywhere = everywhere && region_.verdict(rank).value.load() == 1;
  rest();
  return everywhere;
}

void Meeting::abandon(const std::string& reason) {
  RegionHead& head = region_.head();
  uint32_t nobody = 0;
  if (!head.aborted.compare_exchange_strong(nobody, 1)) return;
  const size_t size = std::min(reason.size(), sizeof head.reason - 1);
  ::memcpy(head.reason, reason.data(), size);
  head.reason[size] = '\0';
  head.aborted.store(2, std::memory_order_release);
  wake_all(head.rests);
}

bool bind_to_processor(int rank, int ranks) {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || ranks > CPU_COUNT(&usable)) return false;
  for (int cpu = 0, seen = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &usable) || seen++ != rank) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return ::sched_setaffinity(0, sizeof one, &one) == 0;
  }
  return false;
}

}  // namespace measure
