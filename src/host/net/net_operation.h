// What all collectives between hosts have in common: each member begins by a frame to those it exchanges data with, and
// meets theirs before it writes any output. A small contribution is in that frame; large ones follow in streams of pieces.
#pragma once

#include "host/call.h"
#include "host/net/call_order.h"

namespace ps {

// Room for the operands of a reduction; operations of a communicator are stepped one at a time.
struct Operands {
  std::vector<const void*> sources;
  std::vector<double> scales;
};

struct NetState {
  explicit NetState(Links& its_links) : links(its_links), order(its_links) {
    operands.sources.resize(static_cast<size_t>(links.size()));
    operands.scales.resize(static_cast<size_t>(links.size()));
  }
  Links& links;
  CallOrder order;
  Operands operands;
};

class NetOperation : public Operation {
 public:
  // The largest block that goes from one member to another; the same number on all of them.
  static size_t block_bytes(const Call& call);

  std::vector<int> awaited() const override;
  std::vector<int> retract() override {
    links().abandon_streams();
    return {};
  }

 protected:
  NetOperation(NetState& state, Call call, uint64_t sequence, bool small);

  // True once everyone has been met without whom nothing may be written. Small: their frames still lie in their lanes.
  bool met();

  // Steps by `pass`, which says whether the operation is done, for as long as one takes in what it has not acted upon.
  template <class Pass>
  bool step_by(Pass&& pass) const {
    for (;;) {
      const uint64_t before = links().transport().taken();
      if (pass()) return true;
      if (links().transport().taken() == before) return false;
    }
  }

  int rank() const { return links().rank(); }
  int size() const { return links().size(); }
  Links& links() const { return state_.links; }
  Lane& lane(int peer) const { return state_.links.collectives(peer); }
  PieceStream& contributions_to(int peer) const { return links().contributions(peer, PieceStream::Way::kOut); }
  PieceStream& contributions_from(int peer) const { return links().contributions(peer, PieceStream::Way::kIn); }
  PieceStream& results_to(int peer) const { return links().results(peer, PieceStream::Way::kOut); }
  PieceStream& results_from(int peer) const { return links().results(peer, PieceStream::Way::kIn); }
  bool sends_to(int peer) const { return peer != rank() && call_.stages(rank()) && call_.reads(peer); }
  bool receives_from(int peer) const { return peer != rank() && call_.reads(rank()) && call_.stages(peer); }
  size_t outgoing(int reader) const { return call_.input.size(call_.input_block(reader)); }
  size_t incoming(int source) const { return call_.output.size(call_.output_block(source)); }
  void copy_own_block() const;
  // The operands that each member contributes, this one's included, combined into `to`.
  void reduce(std::byte* to, size_t bytes) const;

  NetState& state_;
  Call call_;
  const uint64_t sequence_;
  const bool small_;
  int blocked_on_ = -1;  // the member that the last step found wanting

 private:
  bool needs(int peer) const { return receives_from(peer) || (!small_ && sends_to(peer)); }
  bool begin();
  bool begin_with(int peer);
  void check_sizes() const;

  bool remembered_ = false;
  bool met_ = false;
  int next_to_begin_ = 0;
  int next_to_meet_ = 0;
  // Of an uneven call: what each member that was met sends to all, then what it expects of all.
  std::vector<std::vector<uint64_t>> sizes_;
};

}  // namespace ps
