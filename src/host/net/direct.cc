#include "host/net/direct.h"

#include <algorithm>
#include <cstring>

namespace ps {

DirectExchange::DirectExchange(NetState& state, Call call, uint64_t sequence, bool small)
    : NetOperation(state, std::move(call), sequence, small),
      piece_(links().sizes().piece / call_.element * call_.element),
      over_input_(call_.columns && call_.kernel == nullptr && call_.input.base == call_.output.base) {}

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
  return step_by([this] {
    for (bool moved = true; moved;) {
      moved = send();
      if (call_.reads(rank())) moved |= call_.kernel == nullptr ? receive_copied() : receive_reduced();
    }
    return is_done();
  });
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

bool DirectExchange::send() {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (!sends_to(peer)) continue;
    PieceStream& stream = contributions_to(peer);
    while (stream.posted() < pieces(outgoing(peer)) && stream.has_room()) {
      const uint64_t piece = stream.posted();
      const size_t bytes = piece_bytes(piece, outgoing(peer));
      std::byte* from = call_.input.at(call_.input_block(peer)) + piece * piece_;
      // In memory that is there for what is reduced.
      if (over_input_) from = static_cast<std::byte*>(std::memcpy(contributions_from(peer).slot(piece), from, bytes));
      stream.post(from, bytes);
      moved = true;
    }
  }
  return moved;
}

bool DirectExchange::may_overwrite(int peer, uint64_t piece) {
  if (!over_input_ || !sends_to(peer)) return true;
  return contributions_to(peer).posted() >= std::min(piece + 1, pieces(outgoing(peer)));
}

bool DirectExchange::receive_copied() {
  bool moved = false;
  for (int peer = 0; peer < size(); ++peer) {
    if (!receives_from(peer)) continue;
    PieceStream& stream = contributions_from(peer);
    const uint64_t all = pieces(incoming(peer));
    while (stream.posted() < all && stream.has_room() && may_overwrite(peer, stream.posted())) {
      const uint64_t piece = stream.posted();
      stream.post(call_.output.at(call_.output_block(peer)) + piece * piece_, piece_bytes(piece, incoming(peer)));
      moved = true;
    }
  }
  return moved;
}

bool DirectExchange::receive_reduced() {
  const size_t block = call_.output.size(0);
  auto& sources = state_.operands.sources;
  bool all_there = reduced_ < pieces(block);
  for (int peer = 0; peer < size(); ++peer) {
    if (!receives_from(peer)) continue;
    PieceStream& stream = contributions_from(peer);
    while (stream.posted() < std::min(pieces(block), reduced_ + PieceStream::kWindow)) {
      stream.post(stream.slot(stream.posted()), piece_bytes(stream.posted(), block));
    }
    all_there = all_there && stream.done() > reduced_;
    sources[static_cast<size_t>(peer)] = stream.slot(reduced_);
  }
  if (!all_there) return false;
  sources[static_cast<size_t>(rank())] = call_.input.at(call_.input_block(rank())) + reduced_ * piece_;
  reduce(call_.output.at(0) + reduced_ * piece_, piece_bytes(reduced_, block));
  ++reduced_;
  return true;
}

bool DirectExchange::is_done() {
  for (int peer = 0; peer < size(); ++peer) {
    blocked_on_ = peer;
    if (sends_to(peer) && contributions_to(peer).done() < pieces(outgoing(peer))) return false;
    if (receives_from(peer) && contributions_from(peer).done() < pieces(incoming(peer))) return false;
  }
  blocked_on_ = -1;
  return call_.kernel == nullptr || !call_.reads(rank()) || reduced_ == pieces(call_.output.size(0));
}

}  // namespace ps
