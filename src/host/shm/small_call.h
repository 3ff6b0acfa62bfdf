// Collectives of some KiB for which everybody comes at once: one-shot without an operation object. What such a call costs
// beside the cache lines is instructions, and most of them would build, queue and destroy what is never needed.
//
// begin() publishes as OneShot does, so peers see no difference, and where somebody is late, some lend their buffers and
// others do not, or somebody has called something else, an OneShot that is told of it goes on.
#pragma once

#include "host/call.h"
#include "host/message.h"
#include "host/shm/board.h"
#include "host/shm/direct.h"
#include "host/shm/one_shot.h"
#include "host/shm/staged_blocks.h"

namespace ps {

class SmallCall {
 public:
  explicit SmallCall(Board& board) : board_(board) {}

  // Of equal blocks; where a group has memory that may be lent, a large call must be an all_reduce.
  bool suits(const Call& call, size_t staged_bytes) const {
    return !call.part && !call.uneven && call.input.are_equal() && call.output.are_equal() &&
           (staged_bytes < Direct::least_bytes(board_) || board_.regions().is_empty() || call.kind() == Kind::kAllReduce);
  }

  // False: this rank's header may not be written yet.
  bool begin(const Call& call, uint64_t sequence, size_t staged_bytes);
  // Of the call that was begun, its buffers included. Done: all that this rank needs was there, with the same call, the output is written, and nobody uses what it lent.
  AtOnce end(const Call& call, uint64_t sequence);
  // For who goes on with it.
  OneShot::Published state() const { return {lends_, is_finished_}; }

 private:
  AtOnce meet(const Call& call, uint64_t sequence, int member) const;
  void lend_or_stage(const Call& call, uint64_t sequence);
  AtOnce end_large(const Call& call, uint64_t sequence);
  bool reduce_directly(Direct& direct, const Call& call, uint64_t sequence);
  void prepare(const Call& call);
  const std::byte* source(const Call& call, int member) const;
  void take_scales(uint64_t sequence, std::vector<double>& scales) const;
  void combine(const Call& call, uint64_t sequence);
  bool is_large() const { return blocks_.bytes() >= Direct::least_bytes(board_); }

  Board& board_;
  StagedBlocks blocks_;
  bool lends_ = false;
  bool meets_all_ = false;
  bool is_finished_ = false;
  int next_to_meet_ = 0;
  size_t count_ = 0;  // of the elements of a sum
};

}  // namespace ps
