// What large collectives have in common: a rank streams its contribution through a ring of pieces in shared memory.
//
// Counters only grow: a member's `staged`, `reduced` and `consumed` count over the life of the communicator, and its
// header says where they stood when the operation began. The header also brings the signature, so nothing is written to
// an output before the operation is known to be the same.
#pragma once

#include <optional>

#include "host/copy/copy.h"
#include "host/shm/direct.h"
#include "host/shm/staged_operation.h"

namespace ps {

class RingOperation : public StagedOperation {
 public:
  std::vector<int> awaited() const override;
  std::vector<int> retract() override { return direct_.retract(); }

 protected:
  RingOperation(Board& board, Call&& call, uint64_t sequence);

  // Publishes and meets; true once pieces may move both ways. A virtual hook lets an operation put more into its slot first.
  bool begun();
  // Whether the ring is this operation's, so that pieces may be put into it: from then on as many as it holds, also
  // before the peers have come. For who streams through its ring.
  bool has_ring();
  // How much of its ring and of its shares is written in the operation, from their first byte on.
  struct Pages {
    size_t ring_bytes;
    size_t share_bytes;
  };
  virtual Pages pages() const = 0;
  // Whether peers may read this rank's input where it is, if they can.
  virtual bool may_lend() const { return true; }
  // Where both sides of a block around a root may move a part of it: of each block, the root's. None: the reader does it.
  virtual std::optional<uint32_t> root_share() const { return std::nullopt; }
  virtual void stage_slot() {}
  virtual void check_slots() {}
  // Asked once everyone has been met: whether this rank streams through its ring, and how the operation goes.
  virtual bool uses_ring() const = 0;
  virtual Path path() const = 0;

  uint64_t staged(int member) const;
  uint64_t reduced(int member) const;
  uint64_t consumed(int member) const;
  void set_staged(uint64_t rounds) { board_.store(board_.own().staged.value, own_.staged + rounds); }
  void set_reduced(uint64_t rounds) { board_.store(board_.own().reduced.value, own_.reduced + rounds); }
  void set_consumed(uint64_t rounds) { board_.store(board_.own().consumed.value, own_.consumed + rounds); }

  // The kernel's operands, then the reduction. Sums that are to leave the caches, and cannot be stored past them by the
  // kernel, are made in one and copied out of it.
  void set_operand(int member, const std::byte* data) const;
  void reduce_to(CopyTarget target, std::byte* to, size_t bytes) const;
  bool streams_sums() const { return streaming_kernel_ != nullptr; }

  // The last act of an operation: waits until nobody uses what this rank lent.
  bool ended();

  Direct direct_;

  // The member that the last check found wanting, -1 none.
  mutable int blocked_on_ = -1;

 private:
  bool ring_free() const;

  const ReduceKernel streaming_kernel_;  // nullptr: none
  bool has_ring_ = false;
  Opening own_{};
  std::vector<Opening> others_;
  bool ending_ = false;
};

}  // namespace ps
