#include "host/shm/ring_operation.h"

#include <cstring>

namespace ps {
namespace {

uint64_t now(const Counter& counter) { return counter.value.load(std::memory_order_seq_cst); }

}  // namespace

RingOperation::RingOperation(Board& board, Call call, uint64_t sequence)
    : StagedOperation(board, std::move(call), sequence), bases_(static_cast<size_t>(board.size())) {
  static_assert(sizeof(Bases) <= sizeof(Header::payload));
}

bool RingOperation::ring_free() const {
  return !stages() || board_.ring_sequence == 0 || board_.all_reached(board_.ring_sequence + 1);
}

bool RingOperation::begun() {
  if (met_) return true;
  if (!published_) {
    if (!may_publish()) return false;
    const MemberLines& own = board_.own();
    own_bases_ = {now(own.staged), now(own.reduced), now(own.consumed)};
    std::memcpy(board_.header(board_.rank(), sequence_).payload, &own_bases_, sizeof own_bases_);
    stage_slot();
    publish();
  }
  if (!met(true) || !ring_free()) return false;
  for (int member = 0; member < board_.size(); ++member) {
    if (!needs(member, true)) continue;
    std::memcpy(&bases_[static_cast<size_t>(member)], board_.header(member, sequence_).payload, sizeof(Bases));
  }
  check_slots();
  if (stages()) board_.ring_sequence = sequence_;
  met_ = true;
  return true;
}

uint64_t RingOperation::staged(int member) const {
  return now(board_.lines(member).staged) - bases_[static_cast<size_t>(member)].staged;
}
uint64_t RingOperation::reduced(int member) const {
  return now(board_.lines(member).reduced) - bases_[static_cast<size_t>(member)].reduced;
}
uint64_t RingOperation::consumed(int member) const {
  return now(board_.lines(member).consumed) - bases_[static_cast<size_t>(member)].consumed;
}

std::vector<int> RingOperation::awaited() const {
  if (met_) return blocked_on_ < 0 ? std::vector<int>{} : std::vector<int>{blocked_on_};
  std::vector<int> missing = StagedOperation::awaited();
  if (missing.empty() && published_ && !ring_free()) return board_.not_reached(board_.ring_sequence + 1);
  return missing;
}

}  // namespace ps
