#include "host/shm/two_shot.h"

#include <algorithm>

#include "host/shm/direct_all_reduce.h"

namespace ps {
namespace {

constexpr size_t kLine = 64;
// Enough pieces that copying in, reducing and copying out overlap, and large enough that their flags cost little.
constexpr size_t kPieces = 4;
constexpr size_t kLeastPiece = 32 << 10;
// Of the own share: from the sum to the output while it is in the first-level cache.
constexpr size_t kSumBytes = 16 << 10;

}  // namespace

TwoShot::TwoShot(Board& board, Call&& call, uint64_t sequence)
    : RingOperation(board, std::move(call), sequence),
      bytes_(call_.input.size(0)),
      unit_(std::min(board_.geometry().piece_bytes, std::max(bytes_ / kPieces / kLine * kLine, kLeastPiece))),
      rounds_((bytes_ + unit_ - 1) / unit_) {}

size_t TwoShot::piece_bytes(uint64_t round) const { return std::min<size_t>(unit_, bytes_ - round * unit_); }

TwoShot::Pages TwoShot::pages() const {
  const uint64_t pieces = std::min<uint64_t>(rounds_, Geometry::kRing);
  return {std::min<size_t>(bytes_, pieces * unit_), pieces * board_.geometry().share_bytes};
}

TwoShot::Range TwoShot::share(uint64_t round, int member) const {
  const size_t bytes = piece_bytes(round);
  const auto n = static_cast<size_t>(board_.size());
  const size_t each = ((bytes + n - 1) / n + kLine - 1) / kLine * kLine;
  const size_t begin = std::min(each * static_cast<size_t>(member), bytes);
  return {begin, std::min(each, bytes - begin)};
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
    bool moved = false;
    // Whoever lends its buffers knows only when it has met everyone whether it must stage them after all.
    if (copied_in_ < rounds_ && copied_in_ <= copied_out_ + 2 && (begun || !direct_.lends_own()) && has_ring()) {
      copy_in(copied_in_);
      set_staged(++copied_in_);
      moved = true;
    }
    if (begun && reduced_ < copied_in_ && all_staged(reduced_ + 1)) {
      reduce_share(reduced_);
      set_reduced(++reduced_);
      moved = true;
    }
    if (copied_out_ < reduced_ && all_reduced(copied_out_ + 1)) {
      copy_out(copied_out_++);
      moved = true;
    }
    if (begun && copied_out_ == rounds_) return true;
    if (!moved) return false;
  }
}

// What others reduce; the own share is read where it is.
void TwoShot::copy_in(uint64_t round) const {
  const Range own = share(round, board_.rank());
  const std::byte* from = call_.input.at(0) + round * unit_;
  std::byte* to = board_.piece(board_.rank(), round, unit_);
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

void TwoShot::reduce_share(uint64_t round) const {
  const Range range = share(round, board_.rank());
  const size_t begin = round * unit_ + range.begin;
  for (size_t at = 0; at < range.bytes; at += kSumBytes) {
    const size_t part = std::min(kSumBytes, range.bytes - at);
    for (int member = 0; member < board_.size(); ++member) {
      const bool own = member == board_.rank();
      set_operand(member, own ? call_.input.at(0) + begin + at : board_.piece(member, round, unit_) + range.begin + at);
    }
    std::byte* const sum = board_.share(board_.rank(), round) + at;
    reduce_to(CopyTarget::kShared, sum, part);
    copy(output_of(bytes_), call_.output.at(0) + begin + at, sum, part);
  }
}

void TwoShot::copy_out(uint64_t round) const {
  std::byte* to = call_.output.at(0) + round * unit_;
  for (int member = 0; member < board_.size(); ++member) {
    if (member == board_.rank()) continue;
    const Range range = share(round, member);
    copy(output_of(bytes_), to + range.begin, board_.share(member, round), range.bytes);
  }
}

}  // namespace ps
