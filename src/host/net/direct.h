// Every member sends what it has for each reader straight to it, and reads what others have for it: copied as it comes,
// or reduced in rank order when a piece of everyone is there. For small contributions that is one frame each way; large
// ones are pieces, as many under way as a lane has room for.
#pragma once

#include "host/net/net_operation.h"

namespace ps {

class DirectExchange final : public NetOperation {
 public:
  DirectExchange(NetState& state, Call call, uint64_t sequence, bool small);
  bool step() override;

 private:
  void take_small();
  bool stage();
  bool take_copied();
  bool take_reduced();
  bool may_write(size_t offset) const;
  bool all_done() const;

  std::vector<size_t> sent_;   // bytes, by reader
  std::vector<size_t> taken_;  // bytes, by source; where reduced, the same for all
  bool own_block_done_ = false;
};

}  // namespace ps
