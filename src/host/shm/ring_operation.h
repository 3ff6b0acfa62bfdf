// What large collectives have in common: a rank streams its contribution through a ring of pieces in shared memory.
//
// Counters only grow: a member's `staged`, `reduced` and `consumed` count over the life of the communicator, and its
// header says where they stood when the operation began. The header also brings the signature, so nothing is written to
// an output before the operation is known to be the same.
#pragma once

#include "host/shm/staged_operation.h"

namespace ps {

class RingOperation : public StagedOperation {
 public:
  std::vector<int> awaited() const override;

 protected:
  struct Bases {
    uint64_t staged = 0;
    uint64_t reduced = 0;
    uint64_t consumed = 0;
  };

  RingOperation(Board& board, Call call, uint64_t sequence);

  // Publishes and meets; true once pieces may move. A virtual hook lets an operation put more into its slot first.
  bool begun();
  virtual void stage_slot() {}
  virtual void check_slots() {}

  uint64_t staged(int member) const;
  uint64_t reduced(int member) const;
  uint64_t consumed(int member) const;
  void set_staged(uint64_t rounds) { board_.store(board_.own().staged.value, own_bases_.staged + rounds); }
  void set_reduced(uint64_t rounds) { board_.store(board_.own().reduced.value, own_bases_.reduced + rounds); }
  void set_consumed(uint64_t rounds) { board_.store(board_.own().consumed.value, own_bases_.consumed + rounds); }

  // The member that the last check found wanting, -1 none.
  mutable int blocked_on_ = -1;

 private:
  bool ring_free() const;

  Bases own_bases_;
  std::vector<Bases> bases_;
};

}  // namespace ps
