// Large all_reduce: each piece is reduced in shares, one a rank, and the shares are gathered. Copying in piece p + 1,
// reducing p and copying out p - 1 need no barrier: that a peer has staged piece p + 1 implies that it has consumed
// piece p - 2. (Reduce-scatter plus all-gather, pipelined; see docs/architecture.md.)
#pragma once

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
  bool reduce_in_place();

  struct Range {
    size_t begin;
    size_t bytes;
  };
  size_t piece_bytes(uint64_t round) const;
  Range share(uint64_t round, int member) const;  // within the piece
  bool all_staged(uint64_t rounds) const;
  bool all_reduced(uint64_t rounds) const;
  void copy_in(uint64_t round) const;
  void reduce_share(uint64_t round) const;
  void copy_out(uint64_t round) const;

  size_t bytes_;
  size_t unit_;  // bytes of a piece
  uint64_t rounds_;
  uint64_t copied_in_ = 0;
  uint64_t reduced_ = 0;
  uint64_t copied_out_ = 0;
  bool reduced_in_place_ = false;
};

}  // namespace ps
