#include "host/net/direct.h"

#include <algorithm>
#include <cstring>

namespace ps {

DirectExchange::DirectExchange(NetState& state, Call call, uint64_t sequence, bool small)
    : NetOperation(state, std::move(call), sequence, small) {
  if (small) return;
  sent_.resize(static_cast<size_t>(size()));
  taken_.resize(static_cast<size_t>(size()));
}

bool DirectExchange::step() {
  if (!met()) return false;
  if (small_) {
    if (call_.reads(rank())) take_small();
    return true;
  }
  if (!own_block_done_) {
    copy_own_block();
    own_block_done_ = true;
  }
  for (bool moved = true; moved;) {
    moved = stage();
    if (call_.reads(rank())) moved |= call_.kernel == nullptr ? take_copied() : take_reduced();
  }
  return all_done();
}

void DirectExchange::take_small() {
  auto& sources = state_.operands.sources;
  for (int peer = 0; peer < size(); ++peer) {
    if (!receives_from(peer)) continue;
    const Lane::Frame& frame = *lane(peer).front();
    sources[static_cast<size_t>(peer)] = frame.payload;
    if (call_.kernel == nullptr && frame.header.bytes == incoming(peer) && incoming(peer) > 0) {
      std::memcpy(call_.output.at(call_.output_block(peer)), frame.payload, incoming(peer));
    }
  }
  copy_own_block();
  if (call_.kernel != nullptr) {
    sources[static_cast<size_t>(rank())] = call_.input.at(call_.input_block(rank()));
    reduce(call_.output.at(0), call_.output.size(0));
  }
  for (int peer = 0; peer < size(); ++peer) {
    if (receives_from(peer)) lane(peer).pop();
  }
}

bool DirectExchange::stage() {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (!sends_to(peer)) continue;
    size_t& sent = sent_[static_cast<size_t>(peer)];
    while (sent < outgoing(peer)) {
      const size_t bytes = std::min(links().payload_bytes() / call_.element * call_.element, outgoing(peer) - sent);
      const std::byte* from = call_.input.at(call_.input_block(peer)) + sent;
      if (!send_piece(peer, LaneFrame::kContribution, from, bytes)) break;
      sent += bytes;
      moved = true;
    }
  }
  return moved;
}

// In place, an output block lies over an input block that must have been sent before.
bool DirectExchange::may_write(size_t end) const {
  for (int peer = 0; peer < size(); ++peer) {
    if (sends_to(peer) && sent_[static_cast<size_t>(peer)] < std::min(end, outgoing(peer))) return false;
  }
  return true;
}

bool DirectExchange::take_copied() {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (!receives_from(peer)) continue;
    size_t& taken = taken_[static_cast<size_t>(peer)];
    while (taken < incoming(peer)) {
      const Lane::Frame* frame = lane(peer).front();
      if (frame == nullptr) break;
      const size_t bytes = std::min<size_t>(frame->header.bytes, incoming(peer) - taken);
      if (!may_write(taken + bytes)) break;
      std::memcpy(call_.output.at(call_.output_block(peer)) + taken, frame->payload, bytes);
      taken += bytes;
      lane(peer).pop();
      moved = true;
    }
    if (taken < incoming(peer)) blocked_on_ = peer;
  }
  return moved;
}

bool DirectExchange::take_reduced() {
  auto& sources = state_.operands.sources;
  size_t& taken = taken_[static_cast<size_t>(rank())];
  bool moved = false;
  while (taken < call_.output.size(0)) {
    size_t bytes = std::min(links().payload_bytes() / call_.element * call_.element, call_.output.size(0) - taken);
    for (int peer = 0; peer < size(); ++peer) {
      if (!receives_from(peer)) continue;
      const Lane::Frame* frame = lane(peer).front();
      if (frame == nullptr) {
        blocked_on_ = peer;
        return moved;
      }
      sources[static_cast<size_t>(peer)] = frame->payload;
      bytes = std::min<size_t>(bytes, frame->header.bytes);
    }
    if (!may_write(taken + bytes)) return moved;
    sources[static_cast<size_t>(rank())] = call_.input.at(call_.input_block(rank())) + taken;
    reduce(call_.output.at(0) + taken, bytes);
    taken += bytes;
    for (int peer = 0; peer < size(); ++peer) {
      if (receives_from(peer)) lane(peer).pop();
    }
    moved = true;
  }
  return moved;
}

bool DirectExchange::all_done() const {
  for (int peer = 0; peer < size(); ++peer) {
    const auto i = static_cast<size_t>(peer);
    if (sends_to(peer) && sent_[i] < outgoing(peer)) return false;
    if (call_.kernel == nullptr && receives_from(peer) && taken_[i] < incoming(peer)) return false;
  }
  return call_.kernel == nullptr || !call_.reads(rank()) || taken_[static_cast<size_t>(rank())] >= call_.output.size(0);
}

}  // namespace ps
