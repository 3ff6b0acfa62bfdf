// Small collectives: every rank puts its whole contribution into its slot, with the flag in the same line, and reads what
// it needs from the others'. One cache-line transfer is all the latency there is. No second synchronisation: slots
// alternate, see board.h. (The symmetric one-shot of shared-memory all_reduce in DeepSpeed and others, with the flag in
// the data line as in Open MPI's xhc.)
#pragma once

#include "host/shm/direct.h"
#include "host/shm/staged_operation.h"

namespace ps {

class OneShot final : public StagedOperation {
 public:
  // The most bytes that any member stages for `call`; the same number on all of them.
  static size_t staged_bytes(const Call& call, int size);

  OneShot(Board& board, Call&& call, uint64_t sequence);
  // Of a call that is published already, see host/shm/small_call.h.
  struct Published {};
  OneShot(Board& board, Call&& call, uint64_t sequence, Published) : OneShot(board, std::move(call), sequence) {
    published_ = true;
    is_compared_ = false;
  }
  bool step() override;

  std::vector<int> awaited() const override;
  std::vector<int> retract() override { return direct_.retract(); }

 private:
  void stage();
  bool finish();
  bool stage_late();
  std::vector<int> late() const;
  void copy_in();
  const std::byte* source(int member) const;
  bool is_all_reduce() const { return call_.kind() == Kind::kAllReduce; }

  bool moves_data_;       // a barrier does not
  bool inline_;           // staged in the header line itself
  bool may_be_lent_;      // large enough for the direct path
  size_t column_offset_;  // of this rank's column in a slot
  Direct direct_;
  bool is_compared_ = true;  // once published: with everyone who was already there
  bool finished_ = false;  // with what others lent and staged
};

}  // namespace ps
