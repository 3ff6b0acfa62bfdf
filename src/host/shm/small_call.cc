#include "host/shm/small_call.h"

#include "host/copy/copy.h"
#include "host/copy/copy_few.h"

namespace ps {

bool SmallCall::begin(const Call& call, uint64_t sequence, size_t staged_bytes) {
  if (sequence >= 2 && !board_.all_reached(sequence - 1)) return false;
  board_.operands();  // what can fail does so before this rank has begun
  blocks_ = StagedBlocks(board_, call, sequence, staged_bytes);
  if (blocks_.bytes() >= Direct::kLeastBytes) Direct::announce_none(board_, sequence);
  if (call.stages(board_.rank())) blocks_.stage(board_, call);
  board_.publish(sequence, call.signature, call.scale);
  meets_all_ = call.all_stage && call.all_read;
  next_to_meet_ = 0;
  return true;
}

// A member whose data this rank does not need is compared with if it has come: of two, the later one sees the earlier.
bool SmallCall::is_there(const Call& call, uint64_t sequence, int member) const {
  const Header& other = board_.header(member, sequence);
  const bool is_needed = call.reads(board_.rank()) && call.stages(member);
  if (other.sequence.load(std::memory_order_seq_cst) != sequence) return !is_needed;
  return other.signature == call.signature &&
         (!is_needed || blocks_.bytes() < Direct::kLeastBytes || !Direct::lends(board_, member, sequence));
}

bool SmallCall::end(const Call& call, uint64_t sequence) {
  const int size = board_.size();
  const int rank = board_.rank();
  for (; next_to_meet_ < size; ++next_to_meet_) {
    if (next_to_meet_ != rank && !is_there(call, sequence, next_to_meet_)) return false;
  }
  if (meets_all_) board_.note_all_reached(sequence);
  if (blocks_.bytes() == 0 || !call.reads(rank)) return true;
  const auto source = [&](int member) {
    return member == rank ? call.input.at(call.input_block(rank)) : blocks_.from(board_, member);
  };
  const size_t bytes = call.output.bytes;
  if (call.kernel != nullptr) {
    auto& [sources, scales] = board_.operands();
    for (int member = 0; member < size; ++member) {
      sources[static_cast<size_t>(member)] = source(member);
      scales[static_cast<size_t>(member)] = member == rank ? call.scale : board_.header(member, sequence).scale;
    }
    call.kernel(call.output.at(0), sources.data(), sources.size(), bytes / call.element, scales.data());
    return true;
  }
  for (int member = 0; member < size; ++member) {
    if (!call.stages(member)) continue;
    std::byte* const to = call.output.at(member);
    // In place, a block is its own source.
    if (to == source(member)) continue;
    bytes <= sizeof(Header::payload) ? copy_few(to, source(member), bytes)
                                     : copy(CopyTarget::kOutput, to, source(member), bytes);
  }
  return true;
}

}  // namespace ps
