// How a rank that may sleep is woken. One doorbell a rank, in a line of its own; data, abort, death and finalize all
// ring the same one.
//
// Sender: store what changed, sequentially consistent; then ring(). Receiver: read `bell`, raise `sleeping`, check again
// everything it waits for with sequentially consistent loads, and only then sleep on `bell`. The order of the two stores
// and two loads is what makes it impossible that both sides miss each other; release and acquire are not enough.
#pragma once

#include "control/futex.h"

namespace ps {

struct alignas(128) Doorbell {
  std::atomic<uint32_t> bell{0};
  std::atomic<uint32_t> sleeping{0};

  void ring() {
    if (sleeping.load(std::memory_order_seq_cst) == 0) return;
    bell.fetch_add(1, std::memory_order_seq_cst);
    futex_wake_all(bell);
  }
};

}  // namespace ps
