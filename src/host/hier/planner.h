// How collectives come apart into stages. Where every host has as many members, those at one place of each host are a
// column, and what members of different hosts exchange, they exchange within one. Elsewhere the first members of the hosts,
// their leaders, are the only column.
//
// Large calls go chunk by chunk: while one is between hosts, the next is combined on them. A partial result lies in
// scratch memory, so that no output of a reduction is written before everyone is known to have called the same. A large
// all_reduce of all columns needs neither: its two stages hand each other shares in the host's memory (host/relay.h).
//
// (Hierarchical collectives as Open MPI's coll/han has them; columns are the lanes of Traeff's full-lane collectives.)
#pragma once

#include <cstdint>
#include <vector>

#include "host/hier/hosts.h"
#include "host/hier/scratch.h"
#include "host/hier/stage.h"
#include "host/net/net_plane.h"

namespace ps {

// The planes that stages run on, and the place in their order that the next one gets.
struct StagePlanes {
  Plane* host = nullptr;    // nullptr: this rank is alone on its host
  NetPlane* across = nullptr;  // of this rank's column, or of the leaders; nullptr: it has neither
  uint64_t host_sequence = 0;
  uint64_t across_sequence = 0;
};

class Planner {
 public:
  Planner(const Hosts& hosts, int rank, StagePlanes& planes, Scratch& scratch)
      : hosts_(hosts), rank_(rank), planes_(planes), scratch_(scratch), even_(hosts.is_even()) {}

  // Whether an operation ever goes in stages, and whether this call may: partial results of a host come to the same there
  // as in the whole. The same on all members.
  bool can(Kind kind) const;
  bool may(const Call& call) const;

  // `striped`: all_reduce by all columns, each a share; for even hosts.
  // `number`: the call's place in the group's order.
  std::vector<Stage> plan(const Call& call, uint64_t number, bool striped);

  // A stage's signature is the whole's with a part of its number beside the group's tag: a plane compares stages by their
  // order on it, which calls that differ do not keep.
  static constexpr int kTagBits = 6;
  static uint16_t tag_of(uint16_t group) { return group & ((1 << kTagBits) - 1); }

 private:
  // A collective of this rank's host or across hosts that begins as a copy of the whole's agreed part.
  int add(Row row, Kind kind, int root, Call call, int after);
  int convert(Row row, ReduceKernel kernel, double factor, const std::byte* from, std::byte* to, size_t bytes,
              size_t element, int after);

  void all_reduce(const Call& call);
  void all_reduce_striped(const Call& call);
  void reduce(const Call& call);
  void reduce_scatter(const Call& call);
  void all_gather(const Call& call);
  void broadcast(const Call& call);
  void barrier(const Call& call);

  int place(int member) const { return hosts_.place_of[static_cast<size_t>(member)]; }
  int host_of(int member) const { return hosts_.host_of[static_cast<size_t>(member)]; }
  int own_place() const { return place(rank_); }
  // Who exchanges for the host where `root` is to have or to give the whole.
  int port(int root) const { return even_ ? place(root) : 0; }
  bool is_across(int port) const { return planes_.across != nullptr && own_place() == port; }

  const Hosts& hosts_;
  const int rank_;
  StagePlanes& planes_;
  Scratch& scratch_;
  const bool even_;
  const Call* whole_ = nullptr;  // that is planned
  uint64_t number_ = 0;
  std::vector<Stage> stages_;
};

}  // namespace ps
