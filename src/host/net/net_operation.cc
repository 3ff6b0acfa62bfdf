#include "host/net/net_operation.h"

#include <algorithm>
#include <cstring>

#include "host/pair_sizes.h"

namespace ps {

size_t NetOperation::block_bytes(const Call& call) {
  const Blocks& blocks = call.columns ? call.input : call.output;
  return blocks.are_equal() ? call.input.bytes : blocks.largest();
}

NetOperation::NetOperation(NetState& state, Call call, uint64_t sequence, bool small)
    : state_(state), call_(std::move(call)), sequence_(sequence), small_(small) {
  if (call_.uneven) sizes_.resize(static_cast<size_t>(size()));
}

bool NetOperation::met() {
  if (met_) return true;
  if (!remembered_) {
    state_.order.remember(sequence_, call_.signature);
    remembered_ = true;
  }
  // Whoever is behind in an earlier call still has to be taken in, and whoever takes this rank for a partner compared.
  for (int peer = 0; peer < size(); ++peer) {
    if (peer != rank()) state_.order.begun(peer, sequence_);
  }
  if (!begin()) return false;
  for (; next_to_meet_ < size(); ++next_to_meet_) {
    const int peer = next_to_meet_;
    if (!needs(peer)) continue;
    const Lane::Frame* frame = state_.order.begun(peer, sequence_);
    if (frame == nullptr) {
      blocked_on_ = peer;
      return false;
    }
    state_.operands.scales[static_cast<size_t>(peer)] = frame->header.scale;
    if (small_) continue;
    if (call_.uneven) {
      auto& sizes = sizes_[static_cast<size_t>(peer)];
      sizes.resize(2 * static_cast<size_t>(size()));
      std::memcpy(sizes.data(), frame->payload, std::min<size_t>(frame->header.bytes, sizes.size() * sizeof(uint64_t)));
    }
    lane(peer).pop();
  }
  state_.operands.scales[static_cast<size_t>(rank())] = call_.scale;
  if (call_.uneven) check_sizes();
  if (!small_) links().begin_streams();
  met_ = true;
  blocked_on_ = -1;
  return true;
}

bool NetOperation::begin() {
  for (; next_to_begin_ < size(); ++next_to_begin_) {
    const int peer = next_to_begin_;
    if (!sends_to(peer) && !receives_from(peer)) continue;
    links().need(peer);
    // Who reads nothing of this rank and gets a small call's frame only compares it; that is not worth waiting.
    if (!begin_with(peer) && (sends_to(peer) || !small_)) {
      blocked_on_ = peer;
      return false;
    }
  }
  return true;
}

bool NetOperation::begin_with(int peer) {
  LaneHeader header;
  header.type = LaneFrame::kBegin;
  header.sequence = sequence_;
  header.signature = call_.signature;
  header.scale = call_.scale;
  if (call_.uneven) {
    auto& sizes = sizes_[static_cast<size_t>(rank())];
    if (sizes.empty()) {
      sizes.resize(2 * static_cast<size_t>(size()));
      for (int other = 0; other < size(); ++other) {
        if (sends_to(other)) sizes[static_cast<size_t>(other)] = outgoing(other);
        if (receives_from(other)) sizes[static_cast<size_t>(size() + other)] = incoming(other);
      }
    }
    const size_t bytes = sizes.size() * sizeof(uint64_t);
    return lane(peer).send(header, bytes, [&](std::byte* to) { std::memcpy(to, sizes.data(), bytes); });
  }
  const size_t bytes = small_ && sends_to(peer) ? outgoing(peer) : 0;
  const auto fill = [&](std::byte* to) { std::memcpy(to, call_.input.at(call_.input_block(peer)), bytes); };
  return lane(peer).send(header, bytes, fill, sends_to(peer) || !small_);
}

// All pairs whose sizes this rank has been told, not its own alone: else it could write output before it learns that
// others disagree.
void NetOperation::check_sizes() const {
  const auto known = [&](int member) { return !sizes_[static_cast<size_t>(member)].empty(); };
  for (int from = 0; from < size(); ++from) {
    for (int to = 0; to < size(); ++to) {
      if (from == to || !known(from) || !known(to) || !call_.stages(from) || !call_.reads(to)) continue;
      check_pair_sizes(call_, from, to, sizes_[static_cast<size_t>(from)][static_cast<size_t>(to)],
                       sizes_[static_cast<size_t>(to)][static_cast<size_t>(size() + from)]);
    }
  }
}

void NetOperation::copy_own_block() const {
  if (!call_.reads(rank()) || !call_.stages(rank()) || call_.kernel != nullptr) return;
  const std::byte* from = call_.input.at(call_.input_block(rank()));
  std::byte* to = call_.output.at(call_.output_block(rank()));
  if (from != to && incoming(rank()) > 0) std::memmove(to, from, incoming(rank()));
}

void NetOperation::reduce(std::byte* to, size_t bytes) const {
  const auto& [sources, scales] = state_.operands;
  if (bytes > 0) call_.kernel(to, sources.data(), sources.size(), bytes / call_.element, scales.data());
}

std::vector<int> NetOperation::awaited() const {
  if (met_) return blocked_on_ < 0 ? std::vector<int>{} : std::vector<int>{blocked_on_};
  std::vector<int> missing;
  for (int peer = 0; peer < size(); ++peer) {
    if ((needs(peer) && !state_.order.reached(peer, sequence_)) || peer == blocked_on_) missing.push_back(peer);
  }
  return missing;
}

}  // namespace ps
