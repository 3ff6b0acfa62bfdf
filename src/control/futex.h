// The futex calls that the library uses, on words that may lie in memory shared between processes.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace ps {

static_assert(std::atomic<uint32_t>::is_always_lock_free && sizeof(std::atomic<uint32_t>) == 4);

// Returns when woken, when the word is not `expected`, after `timeout_ns`, or for no reason. False: timed out.
inline bool futex_wait(const std::atomic<uint32_t>& word, uint32_t expected, int64_t timeout_ns) {
  timeout_ns = std::max<int64_t>(timeout_ns, 0);
  timespec relative{.tv_sec = timeout_ns / 1'000'000'000, .tv_nsec = timeout_ns % 1'000'000'000};
  const long result = ::syscall(SYS_futex, &word, FUTEX_WAIT, expected, &relative, nullptr, 0);
  return !(result == -1 && errno == ETIMEDOUT);
}

inline void futex_wake_one(const std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

inline void futex_wake_all(const std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT32_MAX, nullptr, nullptr, 0);
}

}  // namespace ps
