#include "host/shm/small_call.h"

#include "host/copy/copy_few.h"

namespace ps {

bool SmallCall::begin(const Call& call, uint64_t sequence) {
  if (sequence >= 2 && !board_.all_reached(sequence - 1)) return false;
  board_.operands();  // what can fail does so before this rank has begun
  copy_few(board_.header(board_.rank(), sequence).payload, call.input.at(0), call.input.bytes);
  board_.publish(sequence, call.signature, call.scale);
  next_to_meet_ = 0;
  return true;
}

bool SmallCall::end(const Call& call, uint64_t sequence) {
  auto& [sources, scales] = board_.operands();
  const int size = board_.size();
  for (; next_to_meet_ < size; ++next_to_meet_) {
    const auto member = static_cast<size_t>(next_to_meet_);
    if (next_to_meet_ == board_.rank()) {
      sources[member] = call.input.at(0);
      scales[member] = call.scale;
      continue;
    }
    const Header& other = board_.header(next_to_meet_, sequence);
    if (other.sequence.load(std::memory_order_seq_cst) != sequence || other.signature != call.signature) return false;
    sources[member] = other.payload;
    scales[member] = other.scale;
  }
  board_.note_all_reached(sequence);
  const size_t bytes = call.input.bytes;
  if (bytes == 0) return true;
  if (call.kernel != nullptr) {
    call.kernel(call.output.at(0), sources.data(), sources.size(), bytes / call.element, scales.data());
    return true;
  }
  for (int member = 0; member < size; ++member) {
    // In place, a block is its own source.
    if (call.output.at(member) != sources[static_cast<size_t>(member)]) {
      copy_few(call.output.at(member), static_cast<const std::byte*>(sources[static_cast<size_t>(member)]), bytes);
    }
  }
  return true;
}

}  // namespace ps
