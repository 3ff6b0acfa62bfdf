// Large all_reduce: each piece is reduced in shares, one a rank, and the shares are gathered. (Reduce-scatter plus
// all-gather, pipelined; see docs/architecture.md.)
//
// A sum takes the place of an operand. No barrier is needed before a place of the ring is used again, four pieces later:
// who copies piece p in has copied p - 2 out; so everyone has reduced p - 2, had staged it before, and had then copied p - 4
// out. Across hosts sums are apart, and a place of the two there is used again when p - 2 was copied out, so combined.
//
// Pieces are taken from the end of the buffers on: what the caller wrote last is still in this core's cache then.
//
// Of an all_reduce that spans hosts, what the members here come to goes through their columns before it is copied out.
#pragma once

#include <algorithm>

#include "host/relay.h"
#include "host/shm/ring_operation.h"

namespace ps {

class TwoShot final : public RingOperation {
 public:
  TwoShot(Board& board, Call&& call, uint64_t sequence);
  bool step() override;

 protected:
  Pages pages() const override;

 private:
  bool uses_ring() const override { return !direct_.everything(); }
  Path path() const override { return direct_.everything() ? Path::kDirect : Path::kTwoShot; }
  bool reduce_in_place();

  struct Range {
    size_t begin;
    size_t bytes;
  };
  size_t plan_unit() const;
  size_t piece_bytes(uint64_t round) const;
  // Where the piece begins in the buffers.
  size_t piece_begin(uint64_t round) const { return bytes_ - std::min<size_t>((round + 1) * unit_, bytes_); }
  size_t most_piece() const;
  Range share(size_t piece, int member) const;  // of a piece of so many bytes, within it
  bool all_staged(uint64_t rounds) const;
  bool all_reduced(uint64_t rounds) const;
  // Places in the ring, and how many pieces may be copied in beyond the first that is not copied out.
  uint64_t depth() const { return relay() == nullptr ? Geometry::kRing : Relay::kDepth; }
  uint64_t ahead() const { return relay() == nullptr ? 1 : Relay::kDepth - 1; }
  // A member's ring, and across hosts its combined shares, in fewer and larger pieces where there are fewer at once.
  uint64_t merged() const { return Geometry::kRing / depth(); }
  std::byte* piece(int member, uint64_t round) const { return board_.piece(member, round % depth(), unit_); }
  void copy_in(uint64_t round) const;
  // A member's input from byte `begin` of a piece on.
  const std::byte* input(int member, uint64_t round, size_t begin) const;
  // Where a member's share of a piece is when it is done: on one host in the ring of the next member.
  std::byte* result(int member, uint64_t round) const;
  void reduce_share(uint64_t round) const;
  void copy_out(uint64_t round) const;

  // Across hosts.
  Relay* relay() const { return call_.relay; }
  bool has_room_for_sum() const;
  std::byte* sum(int member, uint64_t round) const { return board_.share(member, round % depth() * merged()); }
  // Partial results of this rank's share, for the column.
  void combine_share(uint64_t round) const;

  size_t bytes_;
  size_t unit_;  // bytes of a piece
  uint64_t rounds_;
  uint64_t copied_in_ = 0;
  uint64_t reduced_ = 0;
  uint64_t passed_on_ = 0;  // to the other members
  uint64_t copied_out_ = 0;
  bool reduced_in_place_ = false;
};

}  // namespace ps
