// Large all_reduce: the vector is cut into rounds and each round into one share a member. Everyone sends each share to its
// owner, who reduces it in rank order and sends the result to all. So each byte crosses a rank's path twice whatever their
// number, and all ranks get the same bits. Rounds overlap: contributions run ahead as far as the streams have room, and
// results come straight to where they belong. (Reduce-scatter and all-gather, as in Rabenseifner's algorithm, with direct
// exchange for the order of summation.)
//
// In place, a result lies over an input of which its owner has had its contribution, or there were no result.
#pragma once

#include "host/net/net_operation.h"

namespace ps {

class NetTwoShot final : public NetOperation {
 public:
  NetTwoShot(NetState& state, Call call, uint64_t sequence);
  bool step() override;

 private:
  // Where the share of `owner` in `round` lies; 0 bytes beyond the end.
  size_t offset(uint64_t round, int owner) const;
  size_t share_bytes(uint64_t round, int owner) const;
  // Of its share a member has so many rounds that are not empty.
  uint64_t rounds_of(int owner) const;
  bool send_contributions();
  bool take_contributions();
  bool send_results();
  bool take_results();
  bool is_done();

  size_t unit_;  // bytes of a share
  uint64_t reduced_ = 0;
};

}  // namespace ps
