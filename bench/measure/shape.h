// What is measured: an operation, its ranks, its data type and its size. Sizes mean what nccl-tests mean by them:
//   all_reduce, reduce, broadcast, send_recv   the message
//   all_gather, gather                         the whole output (of the root): a block from every rank
//   reduce_scatter, all_to_all, scatter        the whole input (of the root): a block for every rank
//   barrier                                    0
// send_recv is a ping-pong in pairs (ranks 0 and 1, 2 and 3 ...), whose time is half of the round trip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace measure {

enum class Operation {
  kAllReduce,
  kReduce,
  kBroadcast,
  kAllGather,
  kReduceScatter,
  kAllToAll,
  kGather,
  kScatter,
  kBarrier,
  kSendRecv,
};

enum class DataType { kI8, kI16, kI32, kI64, kU8, kU16, kU32, kU64, kF16, kBf16, kF32, kF64 };

constexpr int kRoot = 0;

const std::vector<Operation>& all_operations();
const char* name_of(Operation operation);
const char* name_of(DataType dtype);
size_t size_of(DataType dtype);
// By name: "all_reduce", "f32". False: there is none.
bool parse(std::string_view name, Operation& operation);
bool parse(std::string_view name, DataType& dtype);
// "8", "1K", "64M", "1G", in bytes.
bool parse_size(std::string_view text, size_t& bytes);
std::string size_text(size_t bytes);

struct Shape {
  Operation operation = Operation::kAllReduce;
  DataType dtype = DataType::kF32;
  int ranks = 1;
  size_t count = 0;  // elements of a message or block: what is passed to the operation as its count

  // The size, rounded down to whole elements in equal blocks, but at least one of them.
  static Shape of(Operation operation, DataType dtype, int ranks, size_t bytes);

  // As nccl-tests count them.
  size_t bytes() const;
  // Of a rank's input and output. At the root of a broadcast its input is its output, which counts as 0 bytes. A rank
  // without a partner (the last of an odd number in send_recv) has neither.
  size_t send_bytes(int rank) const;
  size_t recv_bytes(int rank) const;
  bool has_blocks() const;
  int partner(int rank) const { return (rank ^ 1) < ranks ? rank ^ 1 : rank; }

  // What the time of run() is divided by.
  double runs_per_time() const { return operation == Operation::kSendRecv ? 2 : 1; }
  // GB/s of an operation that takes so long: its size per time, and that times the operation's factor, which makes the
  // bus bandwidth of different operations and numbers of ranks comparable.
  double algorithm_bandwidth(double us) const;
  double bus_bandwidth(double us) const;
};

// The largest buffers that a rank needs for any of them.
size_t most_send_bytes(const std::vector<Shape>& shapes, int rank);
size_t most_recv_bytes(const std::vector<Shape>& shapes, int rank);

}  // namespace measure
