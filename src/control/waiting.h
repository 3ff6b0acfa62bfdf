// The one way in which a thread waits for its peers: poll a little, yield a little, then sleep on the rank's doorbell.
//
// Polling must be short: with more ranks than cores a spinning rank keeps the one it waits for off the CPU until the
// scheduler's tick. The figures are pauses of about 25 ns and yields of about 0.5 us.
#pragma once

#include <sched.h>

#include "base/deadline.h"
#include "control/doorbell.h"

namespace ps {

struct WaitPolicy {
  int pauses = 100;
  int yields = 100;
};

// Crowded hosts start at yielding: `local_ranks` is compared with the CPUs that this process may use. PS_SPIN_PAUSES and
// PS_SPIN_YIELDS override it where the environment counts.
WaitPolicy wait_policy(int local_ranks, bool use_environment);

// CPUs by affinity mask and cgroup quota, at least 1.
int usable_cpus();

inline void cpu_pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

// How often a sleeping thread looks around although nobody rang: a bound on the cost of what cannot ring, such as a
// deadline.
inline constexpr int64_t kTickNs = 100'000'000;

// Calls attempt(thorough) until it is true (returns true) or the deadline has passed (returns false). With `thorough` it
// also looks at what changes rarely: failures, departures, deadlines. It must read whatever peers store with sequentially
// consistent loads.
template <class Attempt>
bool wait_until(Doorbell& doorbell, const WaitPolicy& policy, Deadline deadline, Attempt&& attempt) {
  for (bool woken = true;;) {
    if (woken) {
      for (int i = 0; i < policy.pauses; ++i) {
        if (attempt(false)) return true;
        cpu_pause();
      }
      for (int i = 0; i < policy.yields; ++i) {
        if (attempt(false)) return true;
        ::sched_yield();
      }
    }
    const uint32_t bell = doorbell.bell.load(std::memory_order_seq_cst);
    doorbell.sleeping.fetch_add(1, std::memory_order_seq_cst);
    struct Awake {
      Doorbell& doorbell;
      ~Awake() { doorbell.sleeping.fetch_sub(1, std::memory_order_seq_cst); }
    } awake{doorbell};
    if (attempt(true)) return true;
    const int64_t remaining = deadline.remaining_ns();
    if (remaining == 0) return false;
    woken = futex_wait(doorbell.bell, bell, std::min(remaining, kTickNs));
  }
}

}  // namespace ps
