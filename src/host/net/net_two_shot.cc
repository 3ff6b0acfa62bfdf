#include "host/net/net_two_shot.h"

#include <algorithm>

namespace ps {

NetTwoShot::NetTwoShot(NetState& state, Call call, uint64_t sequence)
    : NetOperation(state, std::move(call), sequence, false) {
  const auto members = static_cast<size_t>(size());
  const size_t total = call_.input.size(0);
  const size_t most = links().sizes().piece / call_.element * call_.element;
  // Small enough that rounds overlap, where the vector is not much larger than one.
  const size_t even = (total / call_.element + members - 1) / members * call_.element;
  unit_ = std::max(call_.element, std::min(most, even));
}

size_t NetTwoShot::offset(uint64_t round, int owner) const {
  return (round * static_cast<size_t>(size()) + static_cast<size_t>(owner)) * unit_;
}

size_t NetTwoShot::share_bytes(uint64_t round, int owner) const {
  const size_t total = call_.input.size(0);
  const size_t begin = offset(round, owner);
  return begin >= total ? 0 : std::min(unit_, total - begin);
}

uint64_t NetTwoShot::rounds_of(int owner) const {
  const size_t total = call_.input.size(0);
  const size_t before = static_cast<size_t>(owner) * unit_;
  const size_t round = static_cast<size_t>(size()) * unit_;
  return total <= before ? 0 : (total - before + round - 1) / round;
}

bool NetTwoShot::step() {
  if (!met()) return false;
  for (bool moved = true; moved;) {
    moved = take_contributions();
    moved |= send_results();
    moved |= take_results();
    moved |= send_contributions();
  }
  return is_done();
}

bool NetTwoShot::send_contributions() {
  bool moved = false;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) continue;
    PieceStream& stream = contributions_to(owner);
    while (stream.posted() < rounds_of(owner) && stream.has_room()) {
      const uint64_t round = stream.posted();
      stream.post(call_.input.at(0) + offset(round, owner), share_bytes(round, owner));
      moved = true;
    }
  }
  return moved;
}

bool NetTwoShot::take_contributions() {
  const uint64_t all = rounds_of(rank());
  auto& sources = state_.operands.sources;
  bool all_there = reduced_ < all;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    PieceStream& stream = contributions_from(peer);
    while (stream.posted() < std::min(all, reduced_ + PieceStream::kWindow)) {
      stream.post(stream.slot(stream.posted()), share_bytes(stream.posted(), rank()));
    }
    all_there = all_there && stream.done() > reduced_;
    sources[static_cast<size_t>(peer)] = stream.slot(reduced_);
  }
  if (!all_there) return false;
  const size_t begin = offset(reduced_, rank());
  sources[static_cast<size_t>(rank())] = call_.input.at(0) + begin;
  reduce(call_.output.at(0) + begin, share_bytes(reduced_, rank()));
  ++reduced_;
  return true;
}

bool NetTwoShot::send_results() {
  bool moved = false;
  for (int reader = 0; reader < size(); ++reader) {
    if (reader == rank()) continue;
    PieceStream& stream = results_to(reader);
    while (stream.posted() < reduced_ && stream.has_room()) {
      const uint64_t round = stream.posted();
      stream.post(call_.output.at(0) + offset(round, rank()), share_bytes(round, rank()));
      moved = true;
    }
  }
  return moved;
}

bool NetTwoShot::take_results() {
  bool moved = false;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) continue;
    PieceStream& stream = results_from(owner);
    while (stream.posted() < rounds_of(owner) && stream.has_room()) {
      const uint64_t round = stream.posted();
      stream.post(call_.output.at(0) + offset(round, owner), share_bytes(round, owner));
      moved = true;
    }
  }
  return moved;
}

bool NetTwoShot::is_done() {
  const uint64_t own = rounds_of(rank());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    blocked_on_ = peer;
    const uint64_t theirs = rounds_of(peer);
    if (contributions_from(peer).done() < own || results_from(peer).done() < theirs) return false;
    if (contributions_to(peer).done() < theirs || results_to(peer).done() < own) return false;
  }
  blocked_on_ = -1;
  return reduced_ == own;
}

}  // namespace ps
