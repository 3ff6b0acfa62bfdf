// Small collectives of many members: contributions go up a tree of leaders (domains.h) and results come down it, so a
// member looks at a few lines instead of one of every other's, and few lines cross from one cache or NUMA node to another.
//
// Leaders pass contributions on as they are, side by side, and the root folds all of them: in rank order like every
// other algorithm, with the same bits. For what is small that is no more lines than sums would be.
//
// Everybody publishes its header at once, as everywhere, so calls are compared and who is missing is known before any
// leader has got what it waits for. What a leader passes on lies in lines of its own. Two neighbours in the tree of the
// first member compare their headers in every operation, the later one with the earlier; as all members are connected
// there, two calls that differ are found, and between a contribution and a result each member on the way has compared
// with the next. (Single-writer flags along a hierarchy, with tiny data in the flag's line: Open MPI's xhc.)
#pragma once

#include "host/shm/staged_operation.h"

namespace ps {

class Tree final : public StagedOperation {
 public:
  // What everyone contributes whole, or one member does: what is passed on has one layout. So has a call only where its
  // blocks have one size, which all members know (a stage of a larger call may gather others).
  static bool runs(Kind kind);
  static bool may(const Call& call);
  // A slot takes all contributions and all of a result.
  static size_t most_bytes(const Geometry& geometry) {
    return geometry.slot_bytes / 2 / static_cast<size_t>(geometry.size);
  }

  Tree(Board& board, Call&& call, uint64_t sequence);
  bool step() override;

  std::vector<int> awaited() const override;

 private:
  bool rises() const { return call_.all_stage; }
  bool falls() const { return call_.all_read; }
  bool is_root() const { return family_->parent < 0; }
  bool is_leaf() const { return family_->children.empty(); }
  size_t result_bytes() const;

  void begin();
  void compare_neighbours();
  bool gather();
  void pass_up();
  // A result of the parent, nullptr while there is none.
  const std::byte* fetch();
  void hand_down(const std::byte* result);
  // At the root, which has everyone's contribution: where the result is.
  const std::byte* combine();
  void take(const std::byte* result);

  // Publishes what this rank passes on; whether `member` has published that.
  using Relays = std::array<RelayLine, 2> MemberLines::*;
  void relay(Relays which) const;
  bool has_relayed(int member, Relays which) const;

  // What a member contributes, passes up and hands down: in the line of its flag where that has room.
  std::byte* contribution(int member) const;
  std::byte* gathered(int member, const Domains::Range& range) const;
  std::byte* handed(int member) const;
  const std::byte* contributions(const Domains::Child& child) const;

  const size_t bytes_;  // of a contribution
  const int root_;
  const Domains::Family* family_ = nullptr;  // of this rank, from when it has published
  size_t children_met_ = 0;
  bool passed_up_ = false;
};

}  // namespace ps
