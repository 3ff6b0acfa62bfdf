#include "host/shm/two_shot.h"

#include <algorithm>
#include <cstring>

#include "host/shm/direct_all_reduce.h"

namespace ps {

TwoShot::TwoShot(Board& board, Call call, uint64_t sequence)
    : RingOperation(board, std::move(call), sequence), bytes_(call_.input.size(0)) {
  const size_t piece = board_.geometry().piece_bytes;
  rounds_ = (bytes_ + piece - 1) / piece;
}

size_t TwoShot::piece_bytes(uint64_t round) const {
  const size_t piece = board_.geometry().piece_bytes;
  return std::min(piece, bytes_ - round * piece);
}

TwoShot::Pages TwoShot::pages() const {
  const Geometry& geometry = board_.geometry();
  return {std::min(bytes_, Geometry::kRing * geometry.piece_bytes),
          std::min<size_t>(rounds_, Geometry::kRing) * geometry.share_bytes};
}

TwoShot::Range TwoShot::share(uint64_t round, int member) const {
  const size_t bytes = piece_bytes(round);
  const auto n = static_cast<size_t>(board_.size());
  const size_t each = ((bytes + n - 1) / n + 63) / 64 * 64;
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
  if (!begun()) return false;
  if (direct_.everything()) {
    if (!reduced_in_place_) reduce_in_place();
    return ended();
  }
  const size_t piece = board_.geometry().piece_bytes;
  while (copied_out_ < rounds_) {
    bool moved = false;
    if (copied_in_ < rounds_ && copied_in_ <= copied_out_ + 2) {
      std::memcpy(board_.piece(board_.rank(), copied_in_), call_.input.at(0) + copied_in_ * piece, piece_bytes(copied_in_));
      set_staged(++copied_in_);
      moved = true;
    }
    if (reduced_ < copied_in_ && all_staged(reduced_ + 1)) {
      reduce_share(reduced_);
      set_reduced(++reduced_);
      moved = true;
    }
    if (copied_out_ < reduced_ && all_reduced(copied_out_ + 1)) {
      copy_out(copied_out_++);
      moved = true;
    }
    if (!moved) return false;
  }
  return true;
}

void TwoShot::reduce_in_place() {
  direct_all_reduce(board_, direct_, call_, sequence_);
  direct_.done();
  reduced_in_place_ = true;
}

void TwoShot::reduce_share(uint64_t round) const {
  const Range range = share(round, board_.rank());
  if (range.bytes == 0) return;
  auto& [sources, scales] = board_.operands();
  for (int member = 0; member < board_.size(); ++member) {
    sources[static_cast<size_t>(member)] = board_.piece(member, round) + range.begin;
    scales[static_cast<size_t>(member)] = board_.header(member, sequence_).scale;
  }
  call_.kernel(board_.share(board_.rank(), round), sources.data(), sources.size(), range.bytes / call_.element, scales.data());
}

void TwoShot::copy_out(uint64_t round) const {
  std::byte* to = call_.output.at(0) + round * board_.geometry().piece_bytes;
  for (int member = 0; member < board_.size(); ++member) {
    const Range range = share(round, member);
    if (range.bytes > 0) std::memcpy(to + range.begin, board_.share(member, round), range.bytes);
  }
}

}  // namespace ps
