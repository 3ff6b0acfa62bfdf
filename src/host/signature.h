// What an operation is, in the sixteen bytes that every rank puts beside its data so that ranks that differ find out.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "parallelstate.h"

namespace ps {

enum class Kind : uint8_t {
  kAllReduce = 1,
  kReduce = 2,
  kBroadcast = 3,
  kAllGather = 4,
  kAllGatherV = 5,
  kGather = 6,
  kGatherV = 7,
  kScatter = 8,
  kScatterV = 9,
  kReduceScatter = 10,
  kReduceScatterV = 11,
  kAllToAll = 12,
  kAllToAllV = 13,
  kBarrier = 14,
  kSend = 15,
  kRecv = 16,
  kNewGroup = 100,
  kSplitGroup = 101,
  kMemAlloc = 102,
  kMemFree = 103,
  kGroupRegister = 104,
  kGroupDeregister = 105,
};

struct Signature {
  Kind kind{};
  uint8_t dtype = 0;
  uint8_t op = 0;     // psReduceOp, PS_PREMUL_SUM for all operators made from it
  uint8_t flags = 0;  // the group's PS_DETERMINISTIC
  uint16_t root = 0;  // collectives; a message's peer
  uint16_t group = 0;  // the group's tag: groups of equal members share a communicator and its order
  uint64_t count = 0;  // elements; a hash of the counts where they are a list that all ranks know

  // At once: every rank compares it with every other's in every operation.
  bool operator==(const Signature& other) const { return std::memcmp(this, &other, sizeof other) == 0; }
};
static_assert(sizeof(Signature) == 16 && std::has_unique_object_representations_v<Signature>);

// "all_reduce"
const char* kind_name(Kind kind);
bool has_root(Kind kind);
bool reduces(Kind kind);
// Whether sizes are known to the two ranks of a pair alone, so that no other could choose by them.
bool is_uneven(Kind kind);

// "all_reduce(count 4, float32, sum)"
std::string describe(const Signature& signature);

// Hash of the counts of a v-variant, for Signature::count (FNV-1a over the 64-bit counts).
uint64_t hash_counts(const size_t* counts, size_t size);

}  // namespace ps
