#include "host/shm/two_shot.h"

#include <algorithm>

#include "base/pages.h"
#include "host/shm/direct_all_reduce.h"

namespace ps {
namespace {

static_assert(Geometry::kRing % Relay::kDepth == 0);

constexpr size_t kLine = 64;
// Enough pieces that copying in, reducing and copying out overlap, and large enough that their flags cost little. Ranks
// that share a CPU share its cache: there smaller pieces of what they have in hand stay in it from one rank's turn to the
// other's, and the smallest are larger, as a piece is a turn.
constexpr size_t kPieces = 4;
constexpr size_t kLeastPiece = 32 << 10;
constexpr size_t kPiecesCrowded = 8;
constexpr size_t kLeastPieceCrowded = 64 << 10;
// Of the own share: from the sum to the output while it is in the first-level cache.
constexpr size_t kSumBytes = 16 << 10;

}  // namespace

TwoShot::TwoShot(Board& board, Call&& call, uint64_t sequence)
    : RingOperation(board, std::move(call), sequence),
      bytes_(call_.input.size(0)),
      unit_(plan_unit()),
      rounds_((bytes_ + unit_ - 1) / unit_) {
  if (relay() == nullptr) return;
  const auto count = [&](size_t piece) { return share(piece, board_.rank()).bytes / call_.element; };
  relay()->rounds = rounds_;
  relay()->count = count(unit_);
  relay()->last_count = rounds_ == 0 ? 0 : count(piece_bytes(rounds_ - 1));
}

size_t TwoShot::plan_unit() const {
  // Rounds across hosts are the same on all of them, and another host may have CPUs enough.
  const bool is_crowded = board_.is_crowded() && relay() == nullptr;
  const size_t pieces = is_crowded ? kPiecesCrowded : kPieces;
  const size_t least = is_crowded ? kLeastPieceCrowded : kLeastPiece;
  return std::min(most_piece(), std::max(round_up((bytes_ + pieces - 1) / pieces, kLine), least));
}

// Partial results of a share are not larger than what has room for them, here and in the column.
size_t TwoShot::most_piece() const {
  const Geometry& geometry = board_.geometry();
  if (relay() == nullptr) return geometry.piece_bytes;
  const size_t sums = std::min(merged() * geometry.share_bytes, relay()->most_share);
  const size_t share = sums * call_.element / relay()->partial_element / kLine * kLine;
  return std::min(merged() * geometry.piece_bytes, share * static_cast<size_t>(board_.size()));
}

size_t TwoShot::piece_bytes(uint64_t round) const { return std::min<size_t>(unit_, bytes_ - round * unit_); }

TwoShot::Pages TwoShot::pages() const {
  const uint64_t pieces = std::min<uint64_t>(rounds_, depth());
  const size_t sums = relay() == nullptr ? 0 : pieces * merged() * board_.geometry().share_bytes;
  return {std::min<size_t>(bytes_, pieces * unit_), sums};
}

TwoShot::Range TwoShot::share(size_t piece, int member) const {
  const auto n = static_cast<size_t>(board_.size());
  // Results that are smaller than partial ones stay in this rank's own shares of its ring, which must be the same in all
  // pieces: a last one, cut by itself, would be staged over them.
  const size_t whole = relay() != nullptr && relay()->widen != nullptr ? unit_ : piece;
  const size_t each = ((whole + n - 1) / n + kLine - 1) / kLine * kLine;
  const size_t begin = std::min(each * static_cast<size_t>(member), piece);
  return {begin, std::min(each, piece - begin)};
}

bool TwoShot::all_staged(uint64_t rounds) const {
  for (int member = 0; member < board_.size(); ++member) {
    if (member != board_.rank() && staged(member) < rounds) {
      blocked_on_ = member;
      return false;
    }
  }
  return true;
}

bool TwoShot::all_reduced(uint64_t rounds) const {
  for (int member = 0; member < board_.size(); ++member) {
    if (member != board_.rank() && reduced(member) < rounds) {
      blocked_on_ = member;
      return false;
    }
  }
  return true;
}

bool TwoShot::step() {
  for (;;) {
    const bool begun = RingOperation::begun();
    if (begun && direct_.everything()) {
      if (!reduced_in_place_ && !reduce_in_place()) return false;
      return ended();
    }
    if (begun && relay() != nullptr) relay()->open = true;
    bool moved = false;
    blocked_on_ = -1;
    // Whoever lends its buffers knows only when it has met everyone whether it must stage them after all.
    if (copied_in_ < rounds_ && copied_in_ <= copied_out_ + ahead() && (begun || !direct_.lends_own()) && has_ring()) {
      copy_in(copied_in_);
      set_staged(++copied_in_);
      moved = true;
    }
    if (begun && reduced_ < copied_in_ && has_room_for_sum() && all_staged(reduced_ + 1)) {
      if (relay() == nullptr) {
        reduce_share(reduced_);
      } else {
        combine_share(reduced_);
        relay()->combined = reduced_ + 1;
      }
      ++reduced_;
      moved = true;
    }
    if (const uint64_t done = relay() == nullptr ? reduced_ : relay()->exchanged; passed_on_ < done) {
      set_reduced(passed_on_ = done);
      moved = true;
    }
    if (copied_out_ < passed_on_ && all_reduced(copied_out_ + 1)) {
      copy_out(copied_out_++);
      moved = true;
    }
    if (begun && copied_out_ == rounds_) return true;
    if (!moved) return false;
  }
}

// What others reduce; the own share is read where it is.
void TwoShot::copy_in(uint64_t round) const {
  const Range own = share(piece_bytes(round), board_.rank());
  const std::byte* from = call_.input.at(0) + piece_begin(round);
  std::byte* to = piece(board_.rank(), round);
  const size_t after = own.begin + own.bytes;
  copy(CopyTarget::kShared, to, from, own.begin);
  copy(CopyTarget::kShared, to + after, from + after, piece_bytes(round) - after);
}

bool TwoShot::reduce_in_place() {
  if (!direct_all_reduce(board_, direct_, call_, sequence_)) {
    blocked_on_ = direct_.takers_back().front();
    return false;
  }
  direct_.done();
  return reduced_in_place_ = true;
}

const std::byte* TwoShot::input(int member, uint64_t round, size_t begin) const {
  if (member == board_.rank()) return call_.input.at(0) + piece_begin(round) + begin;
  return piece(member, round) + begin;
}

void TwoShot::reduce_share(uint64_t round) const {
  const Range range = share(piece_bytes(round), board_.rank());
  for (size_t at = 0; at < range.bytes; at += kSumBytes) {
    const size_t part = std::min(kSumBytes, range.bytes - at);
    for (int member = 0; member < board_.size(); ++member) set_operand(member, input(member, round, range.begin + at));
    std::byte* const to = result(board_.rank(), round) + at;
    reduce_to(CopyTarget::kShared, to, part);
    copy(output_of(bytes_), call_.output.at(0) + piece_begin(round) + range.begin + at, to, part);
  }
}

bool TwoShot::has_room_for_sum() const { return relay() == nullptr || reduced_ < relay()->released + depth(); }

void TwoShot::combine_share(uint64_t round) const {
  const Range range = share(piece_bytes(round), board_.rank());
  std::byte* const partial = sum(board_.rank(), round);
  relay()->share(round) = {partial, result(board_.rank(), round)};
  if (relay()->widen == nullptr) {
    for (int member = 0; member < board_.size(); ++member) set_operand(member, input(member, round, range.begin));
    return reduce_to(CopyTarget::kShared, partial, range.bytes);
  }
  const std::span<std::byte> widened = board_.sum();
  const size_t most = widened.size() / relay()->partial_element;
  const size_t count = range.bytes / call_.element;
  for (size_t at = 0; at < count; at += most) {
    const size_t part = std::min(most, count - at);
    std::byte* const to = partial + at * relay()->partial_element;
    for (int member = 0; member < board_.size(); ++member) {
      const void* const from = input(member, round, range.begin + at * call_.element);
      const double factor = scale(member);
      relay()->widen(member == 0 ? to : widened.data(), &from, 1, part, &factor);
      const void* const operands[] = {to, widened.data()};
      if (member > 0) call_.kernel(to, operands, 2, part, nullptr);
    }
  }
}

// On one host a sum takes the place of what the next member has staged for it: those lines were fetched for it just now.
// Results that are smaller than partial ones take the place of the own share in the own ring, which nothing is copied into.
std::byte* TwoShot::result(int member, uint64_t round) const {
  if (relay() != nullptr && relay()->widen == nullptr) return sum(member, round);
  const int holder = relay() == nullptr ? (member + 1) % board_.size() : member;
  return piece(holder, round) + share(piece_bytes(round), member).begin;
}

void TwoShot::copy_out(uint64_t round) const {
  std::byte* to = call_.output.at(0) + piece_begin(round);
  for (int member = 0; member < board_.size(); ++member) {
    // What this rank has reduced itself, it has copied already.
    if (member == board_.rank() && relay() == nullptr) continue;
    const Range range = share(piece_bytes(round), member);
    copy(output_of(bytes_), to + range.begin, result(member, round), range.bytes);
  }
}

}  // namespace ps
