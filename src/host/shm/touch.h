// Touching memory that another process lends, which may take it back at any moment: after its group has failed it waits
// only for those who touch it.
//
// Whoever lends says that he takes back, then looks who says that he is touching. Whoever touches says so first and looks
// then whether it was taken back. With all four sequentially consistent at least one of them sees the other. Touching
// takes no longer than a step, in which nobody waits; a lender gives up after some seconds, which only a stopped member
// takes.
#pragma once

#include <atomic>
#include <cstdint>

namespace ps {

// Calls `use`, which touches what others lend, unless `taken_back()`: then it returns false, and the caller rings for
// those who have, as they may have seen the mark and sleep. `touching` is this rank's.
template <class TakenBack, class Use>
bool touch(std::atomic<uint64_t>& touching, TakenBack&& taken_back, Use&& use) {
  struct Mark {
    std::atomic<uint64_t>& touching;
    explicit Mark(std::atomic<uint64_t>& word) : touching(word) { touching.store(1, std::memory_order_seq_cst); }
    ~Mark() { touching.store(0, std::memory_order_seq_cst); }
  } mark{touching};
  if (taken_back()) return false;
  use();
  return true;
}

}  // namespace ps
