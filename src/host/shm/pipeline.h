// Large collectives that need one pass: pieces flow from each writer's ring to its readers, who copy or reduce them
// straight into their output. A writer is at most a ring ahead of its slowest reader; there is no barrier between pieces.
// What lies in memory that all reach needs no ring: readers take it where it is, and around a root sources write a part of
// it where it is wanted.
#pragma once

#include "host/shm/ring_operation.h"

namespace ps {

class Pipeline final : public RingOperation {
 public:
  Pipeline(Board& board, Call&& call, uint64_t sequence);
  bool step() override;

 private:
  // Not the input of an all_reduce in place: the first pieces of the sum would be there while peers still read it.
  bool may_lend() const override { return call_.kind() != Kind::kAllReduce || call_.input.base != call_.output.base; }
  bool uses_ring() const override { return !direct_.lends_own(); }
  Path path() const override { return direct_.uses_no_ring() ? Path::kDirect : Path::kPipeline; }
  std::optional<uint32_t> root_share() const override;
  bool reads_in_place(int member) const { return member != board_.rank() && direct_.lends(member); }
  Pages pages() const override;
  void stage_slot() override;
  void check_slots() override;
  uint64_t* pair_sizes(int member) const { return reinterpret_cast<uint64_t*>(board_.slot(member, sequence_)); }

  size_t incoming(int member) const;  // bytes from `member` to this rank
  size_t outgoing(int member) const;
  // Of the block from `source` to `reader`, one of them this rank, what the source writes: from the beginning on.
  size_t pushed(int source, int reader) const;
  void plan_shared();
  bool may_push();
  void push_round(uint64_t round) const;
  void end_lending();
  size_t piece_bytes() const { return call_.columns ? unit_ * static_cast<size_t>(board_.size()) : unit_; }
  uint64_t rounds(size_t bytes) const { return (bytes + unit_ - 1) / unit_; }
  bool may_stage();
  bool may_read() const;
  // A root that lends its input has no pieces to tell of when it has compared all calls, so its readers compare them.
  bool is_compared();
  void stage_round(uint64_t round) const;
  void read_round(uint64_t round) const;
  void copy_own_round(uint64_t round) const;
  const std::byte* source(int member, uint64_t round) const;

  size_t unit_;  // bytes of a piece that are for one reader
  CopyTarget target_ = CopyTarget::kOutput;
  uint64_t rounds_out_ = 0;
  uint64_t rounds_in_ = 0;
  uint64_t rounds_staged_ = 0;
  uint64_t rounds_told_ = 0;  // of these, what readers may take
  uint64_t rounds_read_ = 0;
  uint64_t rounds_own_ = 0;  // of the block from this rank to itself, where it is not in place
  uint64_t own_rounds_done_ = 0;
  uint64_t rounds_to_push_ = 0;
  uint64_t rounds_pushed_ = 0;
  bool shared_is_planned_ = false;
  bool shares_ = false;  // some block with another member
  bool lending_ended_ = false;
  int next_to_compare_ = 0;
};

}  // namespace ps
