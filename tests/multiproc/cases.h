// The table of the sweep: operation x type x reduction x size x in place x asynchronous x root x layout.
#pragma once

#include <parallelstate.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ps_test {

enum class Operation {
  kAllReduce,
  kReduce,
  kReduceScatter,
  kReduceScatterV,
  kBroadcast,
  kAllGather,
  kAllGatherV,
  kGather,
  kGatherV,
  kScatter,
  kScatterV,
  kAllToAll,
  kAllToAllV,
  kBarrier,
  kSendAndRecv,
  kSendRecv,
  kBatch,
};
constexpr int kOperations = 17;

struct Case {
  Operation operation = Operation::kBarrier;
  psDataType dtype = PS_INT8;
  psReduceOp op = 0;  // 0: moves alone
  size_t count = 0;   // of a block; in operations with unequal counts the largest is near it
  int root = 0;
  bool in_place = false;
  bool asynchronous = false;
  bool gaps = false;       // offsets out of order with room between; else NULL
  bool unaligned = false;  // buffers at odd addresses
  uint32_t seed = 0;       // where the ranks enter their patterns, and which counts are unequal how

  std::string describe() const;
};

bool reduces(Operation operation);
bool has_root(Operation operation);
// Whether the caller says where each block lies.
bool has_offsets(Operation operation);

// Everything with everything, for sizes around those that fit into a line. Every `stride`th case, so that `first`
// is one of them.
std::vector<Case> small_cases(int size, size_t first, size_t stride);

// Sizes from the end of the one-shot path to several pieces, the other properties in rotation.
std::vector<Case> large_cases(int size, size_t first, size_t stride);

// Where a rank's data is and what must be where. `from` is a rank or Pattern::kFold; positions are in elements.
struct Block {
  size_t at;
  size_t count;
  int from;
  size_t begin;  // in the source's input
};

struct Plan {
  size_t input = 0;   // elements of the send buffer, gaps included
  size_t output = 0;  // elements of the receive buffer, gaps included
  std::vector<Block> blocks;
  // In place one buffer lies in the other: input_at in the receive buffer, or output_at in the send buffer.
  bool within_output = true;
  size_t own_at = 0;
  std::vector<size_t> send_counts, send_offsets, recv_counts, recv_offsets;
};

Plan make_plan(const Case& c, int rank, int size);

}  // namespace ps_test
