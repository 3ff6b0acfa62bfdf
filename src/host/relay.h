// Between the two stages of an all_reduce that run beside each other, on one host and across hosts: each piece that the
// host's members have combined, this rank its share of it, goes through the rank's column before its host gets it. The
// shares lie in the host's shared memory, where the network takes them from and puts the results: nothing is copied
// between the stages. One thread at a time steps both, so these are plain numbers.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "host/reduce/reduce.h"

namespace ps {

struct Relay {
  // Rounds at once: one that the host combines or copies out while the other is under way. More would have to be smaller, and
  // what each costs in messages and wakes counts for more than what they would overlap.
  static constexpr size_t kDepth = 2;
  // The members of a column take so many turns in owning rounds.
  static constexpr size_t turns(size_t members) { return members % 2 == 0 ? 2 : 1; }

  // Of the call; set when it is planned.
  size_t partial_element = 1;      // bytes
  size_t result_element = 1;
  size_t most_share = 0;           // bytes of partial results that the column can take at once
  ReduceKernel widen = nullptr;    // see PartialReduction
  ReduceKernel finish = nullptr;
  double divisor = 1;

  // Of the pieces; set by the host's stage when it begins. All shares of this rank but the last are as large.
  uint64_t rounds = 0;
  size_t count = 0;                // elements
  size_t last_count = 0;
  size_t count_of(uint64_t round) const { return round + 1 < rounds ? count : last_count; }

  // Whether the host's members are known to have called the same: before that, nothing may be said to others.
  bool open = false;
  struct Share {
    std::byte* partial = nullptr;
    std::byte* result = nullptr;   // the same where a partial result is as large as a result
  };
  std::array<Share, kDepth> shares;  // by round
  Share& share(uint64_t round) { return shares[round % kDepth]; }

  uint64_t combined = 0;   // rounds whose partial results are there
  uint64_t exchanged = 0;  // rounds whose results are
  uint64_t released = 0;   // rounds whose memory the column needs no more
};

}  // namespace ps
