#include "host/net/net_two_shot.h"

#include <algorithm>
#include <cstring>

namespace ps {

NetTwoShot::NetTwoShot(NetState& state, Call call, uint64_t sequence)
    : NetOperation(state, std::move(call), sequence, false),
      contributed_(static_cast<size_t>(size())),
      published_(static_cast<size_t>(size())),
      received_(static_cast<size_t>(size())) {
  const auto members = static_cast<size_t>(size());
  const size_t total = call_.input.size(0);
  const size_t most = links().payload_bytes() / call_.element * call_.element;
  // Small enough that rounds overlap, where the vector is not much larger than one.
  const size_t even = (total / call_.element + members - 1) / members * call_.element;
  unit_ = std::max(call_.element, std::min(most, even));
  const size_t round = unit_ * members;
  rounds_ = (total + round - 1) / round;
}

size_t NetTwoShot::offset(uint64_t round, int owner) const {
  return (round * static_cast<size_t>(size()) + static_cast<size_t>(owner)) * unit_;
}

size_t NetTwoShot::share_bytes(uint64_t round, int owner) const {
  const size_t total = call_.input.size(0);
  const size_t begin = offset(round, owner);
  return begin >= total ? 0 : std::min(unit_, total - begin);
}

bool NetTwoShot::step() {
  if (!met()) return false;
  for (bool moved = true; moved;) {
    moved = send_results();
    moved |= send_contributions();
    moved |= take_results();
    moved |= reduce_round();
  }
  for (int peer = 0; peer < size(); ++peer) {
    const auto i = static_cast<size_t>(peer);
    if (peer != rank() && (contributed_[i] < rounds_ || published_[i] < rounds_ || received_[i] < rounds_)) return false;
  }
  return reduced_ == rounds_;
}

bool NetTwoShot::send_contributions() {
  bool moved = false;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) continue;
    uint64_t& round = contributed_[static_cast<size_t>(owner)];
    for (; round < rounds_; ++round, moved = true) {
      const std::byte* from = call_.input.at(0) + offset(round, owner);
      if (!send_piece(owner, LaneFrame::kContribution, from, share_bytes(round, owner))) break;
    }
  }
  return moved;
}

bool NetTwoShot::send_results() {
  bool moved = false;
  for (int reader = 0; reader < size(); ++reader) {
    if (reader == rank()) continue;
    uint64_t& round = published_[static_cast<size_t>(reader)];
    for (; round < reduced_; ++round, moved = true) {
      const std::byte* from = call_.output.at(0) + offset(round, rank());
      if (!send_piece(reader, LaneFrame::kResult, from, share_bytes(round, rank()))) break;
    }
  }
  return moved;
}

// In place, a result lies over an input of which its owner must have had its contribution, or there were no result.
bool NetTwoShot::take_results() {
  bool moved = false;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) continue;
    uint64_t& round = received_[static_cast<size_t>(owner)];
    const Lane::Frame* frame = nullptr;
    while (round < rounds_ && (frame = lane(owner).front()) != nullptr && frame->header.type == LaneFrame::kResult) {
      const size_t bytes = std::min<size_t>(share_bytes(round, owner), frame->header.bytes);
      if (bytes > 0) std::memcpy(call_.output.at(0) + offset(round, owner), frame->payload, bytes);
      lane(owner).pop();
      ++round;
      moved = true;
    }
    if (round < rounds_ && frame == nullptr) blocked_on_ = owner;
  }
  return moved;
}

bool NetTwoShot::reduce_round() {
  if (reduced_ == rounds_) return false;
  auto& sources = state_.operands.sources;
  size_t bytes = share_bytes(reduced_, rank());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    const Lane::Frame* frame = lane(peer).front();
    if (frame == nullptr || frame->header.type != LaneFrame::kContribution) {
      blocked_on_ = peer;
      return false;
    }
    sources[static_cast<size_t>(peer)] = frame->payload;
    bytes = std::min<size_t>(bytes, frame->header.bytes);
  }
  const size_t begin = offset(reduced_, rank());
  if (bytes > 0) {
    sources[static_cast<size_t>(rank())] = call_.input.at(0) + begin;
    reduce(call_.output.at(0) + begin, bytes);
  }
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank()) lane(peer).pop();
  }
  ++reduced_;
  return true;
}

}  // namespace ps
