// Collectives of a few bytes for which everybody comes at once: one-shot without an operation object. What such a call
// costs beside the cache line is instructions, and most of them would build, queue and destroy what is never needed.
//
// begin() publishes as OneShot does, so peers see no difference, and where somebody is late, or has called something
// else, an OneShot that is told of it goes on.
#pragma once

#include "host/call.h"
#include "host/shm/board.h"

namespace ps {

class SmallCall {
 public:
  explicit SmallCall(Board& board) : board_(board) {}

  // All stage one block that fits into a header line, and all read all of them.
  static bool suits(const Call& call) {
    return call.all_stage && call.all_read && !call.columns && !call.part && call.input.are_equal() &&
           call.output.are_equal() && call.input.bytes <= sizeof(Header::payload);
  }

  // False: this rank's header may not be written yet.
  bool begin(const Call& call, uint64_t sequence);
  // True: everybody was there with the same call, and the output is written.
  bool end(const Call& call, uint64_t sequence);

 private:
  Board& board_;
  int next_to_meet_ = 0;
};

}  // namespace ps
