// Large collectives that only copy, in one copy: no ring, no piece of shared memory between. Each rank says in its header
// where its buffers lie, in memory that all members have mapped or just in its own; where everybody has said so, each
// block is moved by its source, its reader, or a part by each: the kernel does it (peer_memory.h), or a plain copy.
//
// Sources write where they can: lines that were written last lie in their writer's cache, and to read them out of another
// core's takes twice as long as to write there. Around a root the root would do all of it alone, so the others do a part of
// theirs each, as share.h finds it; or they all of it, where the root has a large block of its own to copy meanwhile.
//
// As nothing may be written before the calls were compared, a root, whom alone the others compare with, says when it has
// compared all of them. A rank is done when all members whom it met have done their parts.
//
// (The single-copy mechanism of Open MPI's sm and MPICH's POSIX shared memory, with both sides at work.)
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "host/shm/staged_operation.h"

namespace ps {

class SingleCopy final : public StagedOperation {
 public:
  // Operations whose blocks lie alike on all members, so that a source knows where its reader wants them; whether they do
  // in this call, the same on all members.
  static bool can(Kind kind);
  static bool may(const Call& call) { return call.output.are_equal(); }

  // The board has peer_memory().
  SingleCopy(Board& board, Call&& call, uint64_t sequence);
  bool step() override;
  std::vector<int> awaited() const override;
  std::vector<int> retract() override;

 private:
  // Of the block between this rank and a member, itself too, what this rank moves.
  struct Part {
    int member;
    bool is_push;
    size_t begin;
    size_t end;
  };

  void lend();
  // Where others find a buffer of this rank, if they can reach it.
  std::optional<Place> find(const std::byte* data, size_t bytes);
  void plan();
  // Whether all buffers that this rank has to do with lie in regions, its own too.
  bool is_direct() const;
  bool may_move() const;
  bool move_chunk();
  bool move(const Part& part, size_t at, size_t bytes) const;

  Header& header(int member) const { return board_.header(member, sequence_); }
  bool has_root() const { return !call_.all_stage || !call_.all_read; }
  bool copies_own() const;
  size_t block_bytes(int source, int reader) const;
  // Of the block from `source` to `reader`, what the source moves: from the beginning on.
  size_t pushed(int source, int reader) const;
  int blocked_on() const;

  std::vector<Part> parts_;  // still to be moved
  size_t next_ = 0;          // of them, in turn: a block for several members is still in the cache then
  bool told_ = false;  // that this rank's parts are done
  int gone_ = -1;      // a member that is no more
  std::byte* output_;  // the caller's
  // Copies, in call_ instead of what cannot be reached, or is written over before all of it is read.
  std::unique_ptr<std::byte[]> input_bounce_;
  std::unique_ptr<std::byte[]> output_bounce_;
};

}  // namespace ps
