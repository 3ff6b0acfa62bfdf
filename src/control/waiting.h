// The one way in which a thread waits for its peers: poll a little, yield a little, then sleep on the rank's doorbell.
//
// Polling must be short: with more ranks than cores a spinning rank keeps the one it waits for off the CPU until the
// scheduler's tick. Where ranks outnumber the CPUs there is none of it, and a wait begins with yielding.
#pragma once

#include <sched.h>

#include "base/deadline.h"
#include "control/doorbell.h"

namespace ps {

struct WaitPolicy {
  static constexpr int64_t kDefaultSpinUs = 40;
  static constexpr int64_t kMostSpinUs = 1'000'000;

  // `spin_us`: how long a waiting thread stays on its CPU before it sleeps, polling and yielding, if nobody else wants the
  // CPU; 0: it sleeps at once. `crowded`: ranks outnumber the CPUs that they may use.
  static WaitPolicy of(bool crowded, int64_t spin_us = kDefaultSpinUs);

  int pauses = 100;
  int yields = 93;
  int spin_us = kDefaultSpinUs;
  bool crowded = false;
};

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

// A wait that lasts looks around less often: most of what an idle rank costs is waking up.
inline int64_t tick_ns(int ticks_before) { return ticks_before < 10 ? kTickNs : 5 * kTickNs / 2; }

// Calls attempt(thorough) until it is true (returns true) or the deadline has passed (returns false). With `thorough` it
// also looks at what changes rarely: failures, departures, deadlines. It must read whatever peers store with sequentially
// consistent loads.
template <class Attempt>
bool wait_until(Doorbell& doorbell, const WaitPolicy& policy, Deadline deadline, Attempt&& attempt) {
  int ticks = 0;
  for (bool woken = true;;) {
    if (woken) {
      ticks = 0;
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
    woken = futex_wait(doorbell.bell, bell, std::min(remaining, tick_ns(ticks++)));
  }
}

}  // namespace ps
