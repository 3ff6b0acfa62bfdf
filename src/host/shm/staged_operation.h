// What all collectives in shared memory have in common: a place in the order, a published signature, and the members
// they cannot do without.
#pragma once

#include "host/call.h"
#include "host/operation.h"
#include "host/shm/board.h"

namespace ps {

class StagedOperation : public Operation {
 public:
  std::vector<int> awaited() const override;

 protected:
  StagedOperation(Board& board, Call&& call, uint64_t sequence)
      : board_(board), call_(std::move(call)), sequence_(sequence) {}

  // True once this rank's header may be written; call before staging into the slot.
  bool may_publish() { return sequence_ < 2 || board_.all_reached(sequence_ - 1); }
  void publish() {
    board_.publish(sequence_, call_.signature, call_.scale);
    board_.compare_arrived(sequence_, call_.signature);
    published_ = true;
  }
  // True once everyone is there whose data this rank reads and, for large operations, who reads this rank's.
  bool met(bool with_readers) {
    for (; next_to_meet_ < board_.size(); ++next_to_meet_) {
      if (needs(next_to_meet_, with_readers) && !board_.arrived(next_to_meet_, sequence_, call_.signature)) return false;
    }
    return true;
  }
  // Whether this rank needs `member` in the operation: it reads its data or, for large operations, is read by it.
  bool needs(int member, bool with_readers) const {
    return member != board_.rank() && ((reads() && call_.stages(member)) || (with_readers && stages() && call_.reads(member)));
  }

  // A member's factor. This rank's own comes from the call: what peers have read of a header is no longer in this CPU's
  // cache, and to fetch it back takes as long as a message.
  double scale(int member) const { return member == board_.rank() ? call_.scale : board_.header(member, sequence_).scale; }

  bool reads() const { return call_.reads(board_.rank()); }
  bool stages() const { return call_.stages(board_.rank()); }

  Board& board_;
  Call call_;
  uint64_t sequence_;
  bool published_ = false;
  bool met_ = false;

 private:
  int next_to_meet_ = 0;
};

}  // namespace ps
