// Notices within a millisecond that a process of this host has ended, however it ended.
//
// A thread per context owns a word in the host segment and has it on its robust-futex list, so the kernel marks the word
// when the thread dies with its process. The guardians wait on each other's words and on the death log in one
// futex_waitv. The kernel wakes one waiter of a dead word; that one logs the death and wakes the rest. Without
// futex_waitv they wait on the log alone and scan every 5 ms. Each tick also beats the rank's heart: a still one labels
// a rank as stopped, and by itself fails nothing. (robust futexes: Linux Documentation/locking/robust-futexes.)
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/log.h"
#include "control/host_segment.h"

namespace ps {

class Guardian {
 public:
  // `on_death` is called on the guardian's thread when the death log may have grown.
  // `use_waitv` false: as on a kernel without futex_waitv.
  Guardian(std::shared_ptr<HostSegment> segment, const Logger& logger, std::function<void()> on_death,
           bool use_waitv = has_futex_waitv());
  ~Guardian() { stop(); }

  // Ends the thread in order: peers do not take it for a death. What was seen stays readable.
  void stop();

  // For how long this guardian has looked and not seen the rank's heart beat.
  int64_t silent_ms(int local_index) const;

  static bool has_futex_waitv();

 private:
  void run();
  void enter();
  void leave();
  void wait_for_change();
  void scan();

  std::shared_ptr<HostSegment> segment_;
  const Logger& logger_;
  std::function<void()> on_death_;
  const bool use_waitv_;
  robust_list_head robust_{};
  std::atomic<uint32_t> stop_{0};
  std::atomic<uint32_t> entered_{0};
  uint32_t seen_deaths_ = 0;
  std::atomic<int64_t> scanned_ns_{0};
  // Of each rank of the host, which is why it is small.
  struct Pulse {
    std::atomic<uint32_t> beats{0};
    std::atomic<uint32_t> changed_ms{0};  // on the monotonic clock, of which it has the lower half; at most kMostSilentMs ago
  };
  std::vector<Pulse> pulses_;
  std::thread thread_;
};

}  // namespace ps
