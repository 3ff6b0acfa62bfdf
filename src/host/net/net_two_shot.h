// Large all_reduce: the vector is cut into rounds and each round into one share a member. Everyone sends each share to its
// owner, who reduces it in rank order and sends the result to all. So each byte crosses a rank's path twice whatever their
// number, and all ranks get the same bits. Rounds overlap: contributions run ahead as far as the streams have room, and
// results come straight to where they belong. (Reduce-scatter and all-gather, as in Rabenseifner's algorithm, with direct
// exchange for the order of summation.)
//
// In place, a result lies over an input of which its owner has had its contribution, or there were no result.
//
// As a stage of an all_reduce on several hosts, it takes each round from a relay when the host has combined it. Such rounds
// are small, so that members take turns in owning them where that comes out even: fewer messages, and larger ones.
#pragma once

#include "host/net/net_operation.h"
#include "host/relay.h"

namespace ps {

class NetTwoShot final : public NetOperation {
 public:
  NetTwoShot(NetState& state, Call call, uint64_t sequence);
  bool step() override;

 private:
  // A member's share in a round, in elements of the round; 0 beyond the end.
  struct Range {
    size_t begin;
    size_t count;
  };
  // What an owner has of the vector is counted in pieces, one in each round in which it is its turn.
  uint64_t round_of(uint64_t piece, int owner) const { return piece * turns_ + turn_of(owner); }
  uint64_t turn_of(int owner) const { return static_cast<uint64_t>(owner) / owners_; }
  // How many pieces lie in that many rounds.
  uint64_t pieces_in(uint64_t rounds, int owner) const {
    const uint64_t turn = turn_of(owner);
    return rounds <= turn ? 0 : (rounds - turn + turns_ - 1) / turns_;
  }
  Range share(uint64_t round, int owner) const;
  size_t round_count(uint64_t round) const;
  size_t contribution_bytes(uint64_t piece, int owner) const;
  size_t result_bytes(uint64_t piece, int owner) const;
  std::byte* contribution(uint64_t piece, int owner) const;
  std::byte* result(uint64_t piece, int owner) const;
  // Those that are not empty, and those of them to which this rank's contributions are there.
  uint64_t pieces_of(int owner) const;
  // Whether something is not through with `peer` that could be.
  bool is_behind(int peer);
  uint64_t ready(int owner) const {
    return std::min(pieces_of(owner), pieces_in(relay() == nullptr ? rounds_ : relay()->combined, owner));
  }
  Relay* relay() const { return call_.relay; }

  bool pass();
  bool send_contributions();
  bool take_contributions();
  void reduce_piece();
  bool send_results();
  bool take_results();
  void tell_relay();
  bool is_done();

  size_t unit_ = 0;  // elements of a share
  uint64_t rounds_ = 0;
  uint64_t turns_ = 1;   // rounds until it is an owner's turn again
  uint64_t owners_ = 1;  // of a round
  size_t result_element_;  // bytes
  uint64_t reduced_ = 0;   // pieces
};

}  // namespace ps
