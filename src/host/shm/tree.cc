#include "host/shm/tree.h"

#include <algorithm>
#include <functional>

#include "host/copy/copy.h"

namespace ps {

bool Tree::runs(Kind kind) {
  switch (kind) {
    case Kind::kAllReduce:
    case Kind::kReduce:
    case Kind::kBroadcast:
    case Kind::kAllGather:
    case Kind::kGather:
    case Kind::kBarrier: return true;
    default: return false;
  }
}

bool Tree::may(const Call& call) {
  if (call.output.are_equal()) return true;
  const std::vector<size_t>& sizes = call.output.lists->sizes;
  return std::adjacent_find(sizes.begin(), sizes.end(), std::not_equal_to<>()) == sizes.end();
}

Tree::Tree(Board& board, Call&& call, uint64_t sequence)
    : StagedOperation(board, std::move(call), sequence),
      bytes_(call_.input.bytes),
      root_(rises() && falls() ? 0 : call_.root()) {}

bool Tree::step() {
  if (!published_) {
    if (!may_publish()) return false;
    begin();
  }
  if (rises() && !gather()) return false;
  const std::byte* result = nullptr;
  if (is_root()) {
    result = combine();
  } else {
    if (rises() && !passed_up_) pass_up();
    if (!falls()) return true;
    result = fetch();
    if (result == nullptr) return false;
  }
  if (falls()) hand_down(result);
  take(result);
  if (rises() && falls()) board_.note_all_reached(sequence_);
  return true;
}

void Tree::begin() {
  family_ = &board_.family(root_);
  if (rises() && !is_root() && bytes_ > 0) {
    const size_t place = static_cast<size_t>(board_.domains().position_of(board_.rank()) - family_->range.begin);
    std::byte* const to = is_leaf() ? contribution(board_.rank()) : gathered(board_.rank(), family_->range) + place * bytes_;
    copy(CopyTarget::kShared, to, call_.input.at(0), bytes_);
  }
  // Who does not wait for a result may be at the next operation before others have come to this one, and waits for them
  // there.
  const bool ends_together = rises() && falls();
  const int reader = is_leaf() ? family_->parent : board_.rank();
  board_.publish(sequence_, call_.signature, call_.scale, ends_together ? reader : -1);
  published_ = true;
  compare_neighbours();
}

void Tree::compare_neighbours() {
  const Domains::Family& family = board_.family();
  if (family.parent >= 0) board_.arrived(family.parent, sequence_, call_.signature);
  for (const Domains::Child& child : family.children) board_.arrived(child.member, sequence_, call_.signature);
}

bool Tree::gather() {
  for (; children_met_ < family_->children.size(); ++children_met_) {
    const Domains::Child& child = family_->children[children_met_];
    if (!board_.arrived(child.member, sequence_, call_.signature)) return false;
    if (child.range.size() > 1 && !has_relayed(child.member, &MemberLines::gathered)) return false;
    if (is_root() || bytes_ == 0) continue;
    std::byte* const to = gathered(board_.rank(), family_->range) +
                          static_cast<size_t>(child.range.begin - family_->range.begin) * bytes_;
    copy(CopyTarget::kShared, to, contributions(child), static_cast<size_t>(child.range.size()) * bytes_);
  }
  return true;
}

void Tree::pass_up() {
  passed_up_ = true;
  if (is_leaf()) return;
  relay(&MemberLines::gathered);
  board_.ring(family_->parent);
}

const std::byte* Tree::fetch() {
  const int parent = family_->parent;
  if (has_relayed(parent, &MemberLines::handed)) return handed(parent);
  // It may have called something else, and then nothing comes.
  board_.arrived(parent, sequence_, call_.signature);
  return nullptr;
}

const std::byte* Tree::combine() {
  if (!rises()) return call_.input.at(0);
  if (bytes_ == 0) return nullptr;
  auto& [sources, scales] = board_.operands();
  const Domains& domains = board_.domains();
  const auto enter = [&](int member, const std::byte* source) {
    sources[static_cast<size_t>(member)] = source;
    scales[static_cast<size_t>(member)] = call_.signature.op == PS_PREMUL_SUM ? scale(member) : 1.0;
  };
  enter(board_.rank(), call_.input.at(0));
  for (const Domains::Child& child : family_->children) {
    const std::byte* from = contributions(child);
    for (int position = child.range.begin; position < child.range.end; ++position, from += bytes_) {
      enter(domains.member_at(position), from);
    }
  }
  if (call_.kernel != nullptr) {
    std::byte* const result = call_.output.at(0);
    call_.kernel(result, sources.data(), sources.size(), bytes_ / call_.element, scales.data());
    return result;
  }
  // Side by side in the group's order; nobody but the root of a gather needs them together.
  for (int member = 0; member < board_.size(); ++member) {
    const auto* source = static_cast<const std::byte*>(sources[static_cast<size_t>(member)]);
    if (falls()) {
      copy(CopyTarget::kShared, handed(board_.rank()) + static_cast<size_t>(member) * bytes_, source, bytes_);
    } else {
      copy(CopyTarget::kOutput, call_.output.at(member), source, bytes_);
    }
  }
  return handed(board_.rank());
}

void Tree::hand_down(const std::byte* result) {
  if (is_leaf()) return;
  std::byte* const to = handed(board_.rank());
  if (to != result && result_bytes() > 0) copy(CopyTarget::kShared, to, result, result_bytes());
  relay(&MemberLines::handed);
  // Leaders of others first.
  for (auto child = family_->children.rbegin(); child != family_->children.rend(); ++child) board_.ring(child->member);
}

void Tree::take(const std::byte* result) {
  if (bytes_ == 0 || !reads()) return;
  if (call_.kernel != nullptr) {
    if (!is_root()) copy(CopyTarget::kOutput, call_.output.at(0), result, bytes_);
    return;
  }
  if (!rises()) {
    copy(CopyTarget::kOutput, call_.output.at(root_), result, bytes_);
    return;
  }
  if (!falls()) return;
  for (int member = 0; member < board_.size(); ++member) {
    copy(CopyTarget::kOutput, call_.output.at(member), result + static_cast<size_t>(member) * bytes_, bytes_);
  }
}

void Tree::relay(Relays which) const {
  RelayLine& own = (board_.own().*which)[sequence_ & 1];
  own.signature = call_.signature;
  own.sequence.store(sequence_, std::memory_order_seq_cst);
}

bool Tree::has_relayed(int member, Relays which) const {
  const RelayLine& theirs = (board_.lines(member).*which)[sequence_ & 1];
  if (theirs.sequence.load(std::memory_order_seq_cst) != sequence_) return false;
  if (theirs.signature != call_.signature) throw MismatchFound{member, theirs.signature, ""};
  return true;
}

size_t Tree::result_bytes() const {
  return rises() && call_.kernel == nullptr ? bytes_ * static_cast<size_t>(board_.size()) : bytes_;
}

std::byte* Tree::contribution(int member) const {
  return bytes_ <= sizeof(Header::payload) ? board_.header(member, sequence_).payload : board_.slot(member, sequence_);
}

std::byte* Tree::gathered(int member, const Domains::Range& range) const {
  RelayLine& relay = board_.lines(member).gathered[sequence_ & 1];
  const size_t bytes = static_cast<size_t>(range.size()) * bytes_;
  return bytes <= sizeof relay.payload ? relay.payload : board_.slot(member, sequence_);
}

std::byte* Tree::handed(int member) const {
  RelayLine& relay = board_.lines(member).handed[sequence_ & 1];
  if (result_bytes() <= sizeof relay.payload) return relay.payload;
  return board_.slot(member, sequence_) + board_.geometry().slot_bytes / 2;
}

const std::byte* Tree::contributions(const Domains::Child& child) const {
  return child.range.size() > 1 ? gathered(child.member, child.range) : contribution(child.member);
}

std::vector<int> Tree::awaited() const {
  if (!published_) return board_.not_reached(sequence_ - 1);
  const auto missing_of = [&](const Domains::Range& range) {
    std::vector<int> missing;
    for (int position = range.begin; position < range.end; ++position) {
      const int member = board_.domains().member_at(position);
      if (!board_.reached(member, sequence_)) missing.push_back(member);
    }
    return missing;
  };
  if (rises() && children_met_ < family_->children.size()) {
    // Somebody that a child waits for, or else the child.
    std::vector<int> missing = missing_of(family_->range);
    return missing.empty() ? std::vector{family_->children[children_met_].member} : missing;
  }
  if (is_root() || !falls()) return {};
  if (rises()) {
    std::vector<int> missing = board_.not_reached(sequence_);
    return missing.empty() ? std::vector{family_->parent} : missing;
  }
  for (int member = family_->parent; member >= 0; member = board_.domains().parent(member, root_)) {
    if (!board_.reached(member, sequence_)) return {member};
  }
  return {family_->parent};
}

}  // namespace ps
