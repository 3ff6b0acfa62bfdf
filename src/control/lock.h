// A mutex of one word whose uncontended use is a single inlined instruction each way: of the smallest operations, the
// calls into the threads library were a tenth. Contended, it sleeps in the kernel like any other.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "control/futex.h"

namespace ps {

class Lock {
 public:
  Lock() = default;
  Lock(const Lock&) = delete;

  bool try_lock() {
    uint32_t free = kFree;
    return word_.compare_exchange_strong(free, kHeld, std::memory_order_acquire, std::memory_order_relaxed);
  }
  void lock() {
    if (!try_lock()) lock_contended();
  }
  void unlock() {
    if (word_.exchange(kFree, std::memory_order_release) == kAwaited) futex_wake_one(word_);
  }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kHeld = 1;
  static constexpr uint32_t kAwaited = 2;  // held, and somebody may sleep until it is not

  // Who has slept leaves the word at kAwaited, as others may sleep too: at worst one wakes for nothing.
  [[gnu::noinline, gnu::cold]] void lock_contended() {
    while (word_.exchange(kAwaited, std::memory_order_acquire) != kFree) {
      futex_wait(word_, kAwaited, std::numeric_limits<int64_t>::max());
    }
  }

  std::atomic<uint32_t> word_{kFree};
};

}  // namespace ps
