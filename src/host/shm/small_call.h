// Collectives of some KiB for which everybody comes at once: one-shot without an operation object. What such a call costs
// beside the cache lines is instructions, and most of them would build, queue and destroy what is never needed.
//
// begin() publishes as OneShot does, so peers see no difference, and where somebody is late, lends its buffer, or has
// called something else, an OneShot that is told of it goes on.
#pragma once

#include "host/call.h"
#include "host/shm/board.h"
#include "host/shm/direct.h"
#include "host/shm/staged_blocks.h"

namespace ps {

class SmallCall {
 public:
  explicit SmallCall(Board& board) : board_(board) {}

  // Of equal blocks, which this rank does not lend.
  bool suits(const Call& call, size_t staged_bytes) const {
    return !call.part && !call.uneven && call.input.are_equal() && call.output.are_equal() &&
           (staged_bytes < Direct::kLeastBytes || board_.regions().is_empty());
  }

  // False: this rank's header may not be written yet.
  bool begin(const Call& call, uint64_t sequence, size_t staged_bytes);
  // True: all that this rank needs was there, with the same call, and the output is written.
  bool end(const Call& call, uint64_t sequence);

 private:
  bool is_there(const Call& call, uint64_t sequence, int member) const;

  Board& board_;
  StagedBlocks blocks_;
  bool meets_all_ = false;
  int next_to_meet_ = 0;
};

}  // namespace ps
