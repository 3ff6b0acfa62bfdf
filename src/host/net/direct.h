// Every member sends what it has for each reader straight to it, and reads what others have for it: where it belongs as it
// comes, or reduced in rank order when a piece of everyone is there. For small contributions that is one frame each way;
// large ones are streams of pieces.
#pragma once

#include <algorithm>

#include "host/net/net_operation.h"

namespace ps {

class DirectExchange final : public NetOperation {
 public:
  DirectExchange(NetState& state, Call call, uint64_t sequence, bool small);
  bool step() override;

 private:
  void take_small();
  // What a large contribution is cut into, which both ends know.
  uint64_t pieces(size_t block) const { return (block + piece_ - 1) / piece_; }
  size_t piece_bytes(uint64_t piece, size_t block) const { return std::min(piece_, block - piece * piece_); }
  bool send();
  // In place, whether the piece of the own block that lies where the peer's is to go has been copied away.
  bool may_overwrite(int peer, uint64_t piece);
  bool receive_copied();
  bool receive_reduced();
  bool is_done();

  const size_t piece_;
  // In place: a block that arrives lies over the one that goes to the same member, which is copied before it is sent.
  const bool over_input_;
  uint64_t reduced_ = 0;  // pieces
  bool own_block_done_ = false;
};

}  // namespace ps
