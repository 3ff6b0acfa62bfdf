#include "host/net/net_two_shot.h"

#include <algorithm>

namespace ps {
namespace {

constexpr size_t kLine = 64;  // elements: no line is of two shares, whatever their type

}  // namespace

NetTwoShot::NetTwoShot(NetState& state, Call call, uint64_t sequence)
    : NetOperation(state, std::move(call), sequence, false), result_element_(call_.element) {
  const auto members = static_cast<size_t>(size());
  if (relay() != nullptr) {
    rounds_ = relay()->rounds;
    turns_ = Relay::turns(members);
    owners_ = members / turns_;
    result_element_ = relay()->result_element;
    return;
  }
  owners_ = members;
  const size_t most = links().sizes().piece / call_.element;
  const size_t total = call_.input.size(0) / call_.element;
  // Small enough that rounds overlap, where the vector is not much larger than one.
  unit_ = std::max<size_t>(1, std::min(most, (total + members - 1) / members));
  rounds_ = (total + members * unit_ - 1) / (members * unit_);
}

size_t NetTwoShot::round_count(uint64_t round) const {
  if (relay() != nullptr) return relay()->count_of(round);
  const size_t whole = owners_ * unit_;
  return std::min(whole, call_.input.size(0) / call_.element - round * whole);
}

NetTwoShot::Range NetTwoShot::share(uint64_t round, int owner) const {
  const size_t count = round_count(round);
  const size_t each = relay() == nullptr ? unit_ : ((count + owners_ - 1) / owners_ + kLine - 1) / kLine * kLine;
  const size_t begin = std::min(each * (static_cast<uint64_t>(owner) % owners_), count);
  return {begin, std::min(each, count - begin)};
}

size_t NetTwoShot::contribution_bytes(uint64_t piece, int owner) const {
  return share(round_of(piece, owner), owner).count * call_.element;
}

size_t NetTwoShot::result_bytes(uint64_t piece, int owner) const {
  return share(round_of(piece, owner), owner).count * result_element_;
}

std::byte* NetTwoShot::contribution(uint64_t piece, int owner) const {
  const uint64_t round = round_of(piece, owner);
  const size_t begin = share(round, owner).begin;
  if (relay() != nullptr) return relay()->share(round).partial + begin * call_.element;
  return call_.input.at(0) + (round * owners_ * unit_ + begin) * call_.element;
}

std::byte* NetTwoShot::result(uint64_t piece, int owner) const {
  const uint64_t round = round_of(piece, owner);
  const size_t begin = share(round, owner).begin;
  if (relay() != nullptr) return relay()->share(round).result + begin * result_element_;
  return call_.output.at(0) + (round * owners_ * unit_ + begin) * call_.element;
}

uint64_t NetTwoShot::pieces_of(int owner) const {
  const uint64_t pieces = pieces_in(rounds_, owner);
  // Only the last can be empty.
  return pieces == 0 || contribution_bytes(pieces - 1, owner) > 0 ? pieces : pieces - 1;
}

bool NetTwoShot::step() {
  return met() && step_by([this] { return pass(); });
}

bool NetTwoShot::pass() {
  for (bool moved = true; moved;) {
    moved = take_contributions();
    moved |= send_results();
    moved |= take_results();
    moved |= send_contributions();
  }
  const bool done = is_done();
  // Afterwards, so that of a stage that is done nothing remains untold.
  tell_relay();
  return done;
}

bool NetTwoShot::send_contributions() {
  bool moved = false;
  for (int owner = 0; owner < size(); ++owner) {
    if (owner == rank()) continue;
    PieceStream& stream = contributions_to(owner);
    while (stream.posted() < ready(owner) && stream.has_room()) {
      const uint64_t piece = stream.posted();
      stream.post(contribution(piece, owner), contribution_bytes(piece, owner));
      moved = true;
    }
  }
  return moved;
}

bool NetTwoShot::take_contributions() {
  const uint64_t all = pieces_of(rank());
  auto& sources = state_.operands.sources;
  bool all_there = reduced_ < ready(rank());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    PieceStream& stream = contributions_from(peer);
    while (stream.posted() < std::min(all, reduced_ + PieceStream::kWindow)) {
      stream.post(stream.slot(stream.posted()), contribution_bytes(stream.posted(), rank()));
    }
    all_there = all_there && stream.done() > reduced_;
    sources[static_cast<size_t>(peer)] = stream.slot(reduced_);
  }
  if (!all_there) return false;
  reduce_piece();
  ++reduced_;
  return true;
}

void NetTwoShot::reduce_piece() {
  std::byte* const own = contribution(reduced_, rank());
  std::byte* const to = result(reduced_, rank());
  state_.operands.sources[static_cast<size_t>(rank())] = own;
  if (relay() == nullptr || relay()->finish == nullptr) return reduce(to, contribution_bytes(reduced_, rank()));
  reduce(own, contribution_bytes(reduced_, rank()));
  const void* const sum = own;
  relay()->finish(to, &sum, 1, share(round_of(reduced_, rank()), rank()).count, &relay()->divisor);
}

bool NetTwoShot::send_results() {
  bool moved = false;
  for (int reader = 0; reader < size(); ++reader) {
    if (reader == rank()) continue;
    PieceStream& stream = results_to(reader);
    while (stream.posted() < reduced_ && stream.has_room()) {
      const uint64_t piece = stream.posted();
      stream.post(result(piece, rank()), result_bytes(piece, rank()));
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
    while (stream.posted() < ready(owner) && stream.has_room()) {
      const uint64_t piece = stream.posted();
      stream.post(result(piece, owner), result_bytes(piece, owner));
      moved = true;
    }
  }
  return moved;
}

void NetTwoShot::tell_relay() {
  if (relay() == nullptr) return;
  // The rounds of which all is through that `owner` has; an owner that has no more holds nobody up.
  const auto through = [&](uint64_t pieces, int owner) {
    return pieces == pieces_of(owner) ? rounds_ : round_of(pieces, owner);
  };
  uint64_t exchanged = std::min(through(reduced_, rank()), relay()->combined);
  uint64_t released = rounds_;
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    exchanged = std::min(exchanged, through(results_from(peer).done(), peer));
    released = std::min({released, through(contributions_to(peer).done(), peer), through(results_to(peer).done(), rank())});
  }
  relay()->exchanged = exchanged;
  relay()->released = std::min(exchanged, released);
}

bool NetTwoShot::is_behind(int peer) {
  return contributions_from(peer).done() < ready(rank()) || results_from(peer).done() < ready(peer) ||
         contributions_to(peer).done() < ready(peer) || results_to(peer).done() < reduced_;
}

bool NetTwoShot::is_done() {
  blocked_on_ = -1;
  // Also when the host is still to combine what is empty here. Meanwhile a peer may be waited for that is no more.
  if (relay() != nullptr && relay()->combined < rounds_) {
    for (int peer = 0; peer < size() && blocked_on_ < 0; ++peer) {
      if (peer != rank() && is_behind(peer)) blocked_on_ = peer;
    }
    return false;
  }
  const uint64_t own = pieces_of(rank());
  for (int peer = 0; peer < size(); ++peer) {
    if (peer == rank()) continue;
    blocked_on_ = peer;
    const uint64_t theirs = pieces_of(peer);
    if (contributions_from(peer).done() < own || results_from(peer).done() < theirs) return false;
    if (contributions_to(peer).done() < theirs || results_to(peer).done() < own) return false;
  }
  blocked_on_ = -1;
  return reduced_ == own;
}

}  // namespace ps
