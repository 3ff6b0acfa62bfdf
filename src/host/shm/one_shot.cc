#include "host/shm/one_shot.h"

#include "host/copy/copy.h"
#include "host/shm/direct_all_reduce.h"

namespace ps {

OneShot::OneShot(Board& board, Call&& call, uint64_t sequence, bool lends)
    : StagedOperation(board, std::move(call), sequence),
      blocks_(board, call_, sequence, StagedBlocks::bytes_of(call_, board.size())),
      may_be_lent_(blocks_.bytes() >= Direct::least_bytes(board)),
      direct_(board, call_, sequence, Direct::Line::kFlag, lends) {}

bool OneShot::step() {
  if (!published_) {
    if (!may_publish()) return false;
    const Lent lent = may_be_lent_ ? direct_.find() : Lent{};
    if (stages() && lent.input.region == 0) blocks_.stage(board_, call_);
    if (may_be_lent_) direct_.announce(lent);
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
  } else if (moves_data() && reads()) {
    copy_in();
  }
  return true;
}

// Sums are written into all outputs or into none: where somebody does not lend, who does puts its input into its slot
// after all.
bool OneShot::stage_late() {
  if (direct_.lends_own()) {
    blocks_.stage(board_, call_);
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

const std::byte* OneShot::source(int member) const {
  if (member == board_.rank()) return call_.input.at(call_.input_block(member));
  if (may_be_lent_ && !is_all_reduce() && direct_.lends(member)) return direct_.input(member);
  return blocks_.from(board_, member);
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
