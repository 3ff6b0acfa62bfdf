#include "host/shm/small_call.h"

#include <exception>

#include "host/copy/copy.h"
#include "host/copy/copy_few.h"
#include "host/shm/direct_all_reduce.h"

namespace ps {

bool SmallCall::begin(const Call& call, uint64_t sequence, size_t staged_bytes) {
  if (sequence >= 2 && !board_.all_reached(sequence - 1)) return false;
  blocks_ = StagedBlocks(board_, call, sequence, staged_bytes);
  if (call.kernel != nullptr) board_.operands();  // what can fail does so before this rank has begun
  lends_ = false;
  if (is_large()) {
    lend_or_stage(call, sequence);
  } else if (call.stages(board_.rank())) {
    blocks_.stage(board_, call);
  }
  board_.publish(sequence, call.signature, call.scale);
  meets_all_ = call.all_stage && call.all_read;
  is_finished_ = false;
  next_to_meet_ = 0;
  prepare(call);
  return true;
}

// All that a sum needs but the data, while the others are still on their way.
void SmallCall::prepare(const Call& call) {
  if (call.kernel == nullptr || lends_ || !call.reads(board_.rank())) return;
  auto& [sources, scales] = board_.operands();
  for (int member = 0; member < board_.size(); ++member) {
    sources[static_cast<size_t>(member)] = source(call, member);
  }
  scales[static_cast<size_t>(board_.rank())] = call.scale;
  count_ = call.output.bytes / call.element;
}

const std::byte* SmallCall::source(const Call& call, int member) const {
  return member == board_.rank() ? call.input.at(call.input_block(member)) : blocks_.from(board_, member);
}

void SmallCall::lend_or_stage(const Call& call, uint64_t sequence) {
  Direct direct(board_, call, sequence, Direct::Line::kFlag);
  const Lent lent = direct.find();
  lends_ = lent.input.region != 0;
  if (lends_) {
    board_.buffers();
    board_.sum();
  } else if (call.stages(board_.rank())) {
    blocks_.stage(board_, call);
  }
  direct.announce(lent);
}

// A member whose data this rank does not need is compared with if it has come: of two, the later one sees the earlier.
AtOnce SmallCall::meet(const Call& call, uint64_t sequence, int member) const {
  const Header& other = board_.header(member, sequence);
  if (other.sequence.load(std::memory_order_seq_cst) != sequence) {
    return call.reads(board_.rank()) && call.stages(member) ? AtOnce::kNotYet : AtOnce::kDone;
  }
  return other.signature == call.signature ? AtOnce::kDone : AtOnce::kNo;
}

AtOnce SmallCall::end(const Call& call, uint64_t sequence) {
  for (; next_to_meet_ < board_.size(); ++next_to_meet_) {
    if (next_to_meet_ == board_.rank()) continue;
    if (const AtOnce met = meet(call, sequence, next_to_meet_); met != AtOnce::kDone) return met;
  }
  if (meets_all_) board_.note_all_reached(sequence);
  if (is_large()) return end_large(call, sequence);
  combine(call, sequence);
  return AtOnce::kDone;
}

AtOnce SmallCall::end_large(const Call& call, uint64_t sequence) {
  Direct direct(board_, call, sequence, Direct::Line::kFlag, lends_);
  if (!is_finished_) {
    // What it lends is of an all_reduce, see suits(). Where only some lend, the operation that goes on knows what to do.
    if (lends_ ? !reduce_directly(direct, call, sequence) : direct.uses_lent()) return AtOnce::kNo;
    if (!lends_) combine(call, sequence);
    is_finished_ = true;
  }
  return direct.released() ? AtOnce::kDone : AtOnce::kNotYet;
}

bool SmallCall::reduce_directly(Direct& direct, const Call& call, uint64_t sequence) try {
  if (!direct.everything() || !direct_all_reduce(board_, direct, call, sequence)) return false;
  direct.done();
  return true;
} catch (const std::exception&) {
  return false;  // the operation that goes on finds it too, and its group learns of it
}

void SmallCall::take_scales(uint64_t sequence, std::vector<double>& scales) const {
  for (int member = 0; member < board_.size(); ++member) {
    if (member != board_.rank()) scales[static_cast<size_t>(member)] = board_.header(member, sequence).scale;
  }
}

void SmallCall::combine(const Call& call, uint64_t sequence) {
  if (blocks_.bytes() == 0 || !call.reads(board_.rank())) return;
  if (call.kernel != nullptr) {
    auto& [sources, scales] = board_.operands();
    if (call.signature.op == PS_PREMUL_SUM) take_scales(sequence, scales);
    return call.kernel(call.output.at(0), sources.data(), sources.size(), count_, scales.data());
  }
  const size_t bytes = call.output.bytes;
  for (int member = 0; member < board_.size(); ++member) {
    if (!call.stages(member)) continue;
    std::byte* const to = call.output.at(member);
    const std::byte* const from = source(call, member);
    // In place, a block is its own source.
    if (to == from) continue;
    bytes <= sizeof(Header::payload) ? copy_few(to, from, bytes) : copy(CopyTarget::kOutput, to, from, bytes);
  }
}

}  // namespace ps
