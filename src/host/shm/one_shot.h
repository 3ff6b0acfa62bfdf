// Small collectives: every rank puts its whole contribution into its slot, with the flag in the same line, and reads what
// it needs from the others'. One cache-line transfer is all the latency there is. No second synchronisation: slots
// alternate, see board.h. (The symmetric one-shot of shared-memory all_reduce in DeepSpeed and others, with the flag in
// the data line as in Open MPI's xhc.)
#pragma once

#include "host/shm/direct.h"
#include "host/shm/staged_blocks.h"
#include "host/shm/staged_operation.h"

namespace ps {

class OneShot final : public StagedOperation {
 public:
  OneShot(Board& board, Call&& call, uint64_t sequence) : OneShot(board, std::move(call), sequence, false) {}
  // Of a call that is published already, see host/shm/small_call.h.
  struct Published {
    bool lends;
    bool is_finished;  // but for those who may still use what this rank lends
  };
  OneShot(Board& board, Call&& call, uint64_t sequence, Published published)
      : OneShot(board, std::move(call), sequence, published.lends) {
    published_ = true;
    is_compared_ = false;
    finished_ = published.is_finished;
  }
  bool step() override;

  std::vector<int> awaited() const override;
  std::vector<int> retract() override { return direct_.retract(); }

 private:
  OneShot(Board& board, Call&& call, uint64_t sequence, bool lends);

  bool finish();
  bool stage_late();
  std::vector<int> late() const;
  void copy_in();
  const std::byte* source(int member) const;
  bool is_all_reduce() const { return call_.kind() == Kind::kAllReduce; }

  bool moves_data() const { return blocks_.bytes() > 0; }  // a barrier does not

  const StagedBlocks blocks_;
  const bool may_be_lent_;  // large enough for the direct path
  Direct direct_;
  bool is_compared_ = true;  // once published: with everyone who was already there
  bool finished_ = false;  // with what others lent and staged
};

}  // namespace ps
