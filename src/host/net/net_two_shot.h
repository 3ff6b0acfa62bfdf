// Large all_reduce among more than two: the vector is cut into rounds and each round into one share a member. Everyone
// sends each share to its owner, who reduces it in rank order and sends the result to all. So each byte crosses a rank's
// path twice whatever their number, and all ranks get the same bits. Rounds overlap: contributions run ahead as far as
// the lanes have room, and a result is taken as soon as it is at the front of its lane. (Reduce-scatter and all-gather,
// as in Rabenseifner's algorithm, with direct exchange for the order of summation.)
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
  bool send_contributions();
  bool take_results();
  bool reduce_round();
  bool send_results();

  size_t unit_;  // bytes of a share
  uint64_t rounds_;
  std::vector<uint64_t> contributed_;  // rounds, by owner
  std::vector<uint64_t> published_;    // rounds of own results, by reader
  std::vector<uint64_t> received_;     // rounds of results, by owner
  uint64_t reduced_ = 0;
};

}  // namespace ps
