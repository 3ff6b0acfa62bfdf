#include "host/shm/ring_operation.h"

#include <algorithm>

namespace ps {
namespace {

// A stage of a larger call may reduce otherwise than the call that its signature is of.
ReduceKernel streaming_kernel(const Call& call) {
  const auto dtype = static_cast<psDataType>(call.signature.dtype);
  const auto op = static_cast<psReduceOp>(call.signature.op);
  if (call.kernel == nullptr || call.kernel != find_reduce_kernel(dtype, op)) return nullptr;
  return find_streaming_kernel(dtype, op);
}

uint64_t now(const Counter& counter) { return counter.value.load(std::memory_order_seq_cst); }

}  // namespace

RingOperation::RingOperation(Board& board, Call&& call, uint64_t sequence)
    : StagedOperation(board, std::move(call), sequence),
      direct_(board, call_, sequence, Direct::Line::kSecond),
      streaming_kernel_(streaming_kernel(call_)),
      others_(static_cast<size_t>(board.size())) {}

bool RingOperation::ring_free() const {
  return board_.ring_sequence == 0 || board_.all_reached(board_.ring_sequence + 1);
}

bool RingOperation::begun() {
  if (met_) return true;
  if (!published_) {
    if (!may_publish()) return false;
    const MemberLines& own = board_.own();
    own_ = {now(own.staged), now(own.reduced), now(own.consumed), 0, 0};
    board_.header(board_.rank(), sequence_).opening = own_;
    if (may_lend()) direct_.announce(direct_.find());
    if (const auto share = root_share()) direct_.announce_output(*share);
    stage_slot();
    publish();
  }
  if (!met(true)) return false;
  if (stages() && uses_ring() && !has_ring()) return false;
  for (int member = 0; member < board_.size(); ++member) {
    if (needs(member, true)) others_[static_cast<size_t>(member)] = board_.header(member, sequence_).opening;
  }
  check_slots();
  board_.paths().add(call_.kind(), path());
  met_ = true;
  return true;
}

bool RingOperation::has_ring() {
  if (has_ring_ || !published_ || !ring_free()) return has_ring_;
  const auto [ring_bytes, share_bytes] = pages();
  if (call_.kernel != nullptr) board_.sum();  // here memory may be short, not in the middle of the data
  board_.take_ring(ring_bytes, share_bytes);
  board_.ring_sequence = sequence_;
  return has_ring_ = true;
}

uint64_t RingOperation::staged(int member) const {
  return now(board_.lines(member).staged) - others_[static_cast<size_t>(member)].staged;
}
uint64_t RingOperation::reduced(int member) const {
  return now(board_.lines(member).reduced) - others_[static_cast<size_t>(member)].reduced;
}
uint64_t RingOperation::consumed(int member) const {
  return now(board_.lines(member).consumed) - others_[static_cast<size_t>(member)].consumed;
}

void RingOperation::set_operand(int member, const std::byte* data) const {
  auto& operands = board_.operands();
  operands.sources[static_cast<size_t>(member)] = data;
  operands.scales[static_cast<size_t>(member)] = scale(member);
}

void RingOperation::reduce_to(CopyTarget target, std::byte* to, size_t bytes) const {
  auto& operands = board_.operands();
  const auto reduce = [&](ReduceKernel kernel, std::byte* sum, size_t part) {
    kernel(sum, operands.sources.data(), operands.sources.size(), part / call_.element, operands.scales.data());
  };
  if (target != CopyTarget::kLargeOutput || !streams_large_output()) return reduce(call_.kernel, to, bytes);
  if (streaming_kernel_ != nullptr) return reduce(streaming_kernel_, to, bytes);
  const std::span<std::byte> sum = board_.sum();
  for (size_t at = 0; at < bytes; at += sum.size()) {
    const size_t part = std::min(sum.size(), bytes - at);
    reduce(call_.kernel, sum.data(), part);
    copy(target, to + at, sum.data(), part);
    for (const void*& source : operands.sources) source = static_cast<const std::byte*>(source) + part;
  }
}

bool RingOperation::ended() {
  ending_ = true;
  return direct_.released();
}

std::vector<int> RingOperation::awaited() const {
  if (ending_) return direct_.awaited();
  if (met_) return blocked_on_ < 0 ? std::vector<int>{} : std::vector<int>{blocked_on_};
  std::vector<int> missing = StagedOperation::awaited();
  if (missing.empty() && published_ && !has_ring_ && !ring_free()) return board_.not_reached(board_.ring_sequence + 1);
  return missing;
}

}  // namespace ps
