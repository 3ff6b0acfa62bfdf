#include "host/shm/one_shot.h"

#include <algorithm>
#include <cstring>

#include "host/copy/copy.h"
#include "host/shm/direct_all_reduce.h"

namespace ps {
namespace {

// Where the column for `reader` begins when columns are packed.
size_t packed_offset(const Blocks& blocks, int reader) {
  if (blocks.are_equal()) return blocks.bytes * static_cast<size_t>(reader);
  size_t offset = 0;
  for (int i = 0; i < reader; ++i) offset += blocks.size(i);
  return offset;
}

}  // namespace

size_t OneShot::staged_bytes(const Call& call, int size) {
  if (call.columns) return packed_offset(call.input, size);
  // all_gather_v: everyone knows all sizes, and the largest decides for all.
  if (!call.output.are_equal()) return call.output.largest();
  return call.input.bytes;
}

OneShot::OneShot(Board& board, Call&& call, uint64_t sequence)
    : StagedOperation(board, std::move(call), sequence), direct_(board, call_, sequence) {
  const size_t bytes = staged_bytes(call_, board_.size());
  moves_data_ = bytes > 0;
  inline_ = bytes <= sizeof(Header::payload);
  may_be_lent_ = bytes >= Direct::kLeastBytes;
  column_offset_ = call_.columns ? packed_offset(call_.input, board_.rank()) : 0;
}

bool OneShot::step() {
  if (!published_) {
    if (!may_publish()) return false;
    if (may_be_lent_) direct_.announce();
    if (moves_data_ && stages() && !direct_.lends_own()) stage();
    publish();
  }
  // Not only with those that are met one after the other: who is late must hide no difference between the others.
  if (!is_compared_) board_.compare_arrived(sequence_, call_.signature);
  is_compared_ = true;
  // Who lends waits for its readers at the end, so it may not write its output before it has compared with them.
  if (!met(direct_.lends_own())) return false;
  if (!finished_) {
    if (!finish()) return false;
    finished_ = true;
  }
  return direct_.released();
}

bool OneShot::finish() {
  if (may_be_lent_ && is_all_reduce()) {
    if (direct_.everything()) {
      if (!direct_all_reduce(board_, direct_, call_, sequence_)) return false;
      direct_.done();
      return true;
    }
    if (!stage_late()) return false;
  }
  if (may_be_lent_ && !is_all_reduce() && direct_.uses_lent()) {
    if (!direct_.touch([this] { copy_in(); })) return false;
    direct_.done();
  } else if (moves_data_ && reads()) {
    copy_in();
  }
  return true;
}

// Sums are written into all outputs or into none: where somebody does not lend, who does puts its input into its slot
// after all.
bool OneShot::stage_late() {
  if (direct_.lends_own()) {
    stage();
    direct_.withdraw();
    board_.store(board_.own().late.value, sequence_);
  }
  return late().empty();
}

std::vector<int> OneShot::late() const {
  std::vector<int> members;
  for (int member = 0; member < board_.size(); ++member) {
    const auto& staged = board_.lines(member).late.value;
    if (direct_.lends(member) && staged.load(std::memory_order_seq_cst) < sequence_) members.push_back(member);
  }
  return members;
}

std::vector<int> OneShot::awaited() const {
  if (finished_) return direct_.awaited();
  std::vector<int> missing = StagedOperation::awaited();
  if (!missing.empty() || !published_ || !may_be_lent_) return missing;
  if (is_all_reduce()) missing = late();
  return missing.empty() ? direct_.takers_back() : missing;
}

void OneShot::stage() {
  Header& header = board_.header(board_.rank(), sequence_);
  std::byte* to = inline_ ? header.payload : board_.slot(board_.rank(), sequence_);
  if (!call_.columns) {
    const size_t bytes = call_.input.size(0);
    if (!inline_) {
      copy(CopyTarget::kShared, to, call_.input.at(0), bytes);
    } else if (bytes > 0) {
      std::memcpy(to, call_.input.at(0), bytes);
    }
    return;
  }
  for (int reader = 0; reader < board_.size(); ++reader) {
    const size_t bytes = call_.input.size(reader);
    if (reader != board_.rank()) copy(CopyTarget::kShared, to, call_.input.at(reader), bytes);
    to += bytes;
  }
}

const std::byte* OneShot::source(int member) const {
  if (member == board_.rank()) return call_.input.at(call_.input_block(member));
  if (may_be_lent_ && !is_all_reduce() && direct_.lends(member)) return direct_.input(member);
  const Header& header = board_.header(member, sequence_);
  return (inline_ ? header.payload : board_.slot(member, sequence_)) + column_offset_;
}

void OneShot::copy_in() {
  if (call_.kernel == nullptr) {
    for (int member = 0; member < board_.size(); ++member) {
      if (call_.stages(member)) copy(CopyTarget::kOutput, call_.output.at(member), source(member), call_.output.size(member));
    }
    return;
  }
  auto& [sources, scales] = board_.operands();
  for (int member = 0; member < board_.size(); ++member) {
    sources[static_cast<size_t>(member)] = source(member);
    scales[static_cast<size_t>(member)] = scale(member);
  }
  const size_t count = call_.output.size(0) / call_.element;
  if (count > 0) call_.kernel(call_.output.at(0), sources.data(), sources.size(), count, scales.data());
}

}  // namespace ps
