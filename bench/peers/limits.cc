// What the machine allows: every rank copies, at the same time as the others and from private to private memory, the
// bytes that the operation must at least move on it. No word is exchanged, so no implementation can be faster than this
// and a cache line's latency, short of copying better than the C library does.
#include <string.h>

#include <algorithm>

#include "peers/peer.h"

namespace {

using measure::Operation;
using measure::Shape;

// Buffers that hold what is copied on any rank: for this, every rank of an operation with a root is as large as its
// largest.
size_t most_bytes(const std::vector<Shape>& points) {
  size_t most = 1;
  for (const Shape& point : points) most = std::max(most, point.bytes());
  return most;
}

class Copies : public measure::Subject {
 public:
  Copies(int rank, size_t bytes) : rank_(rank), from_(bytes), to_(bytes) {}

  void prepare(const Shape& shape) override { shape_ = shape; }
  // As the operations that are measured find them: inputs were just written.
  void dirty(int64_t iteration) override { ::memset(from_.data(), static_cast<int>(iteration), source_bytes()); }
  bool verify(int64_t) override { return true; }

  void run() override {
    char* const to = static_cast<char*>(to_.data());
    const char* const from = static_cast<const char*>(from_.data());
    const size_t bytes = shape_.bytes();
    const size_t block = shape_.count * measure::size_of(shape_.dtype);
    switch (shape_.operation) {
      case Operation::kAllReduce:
      case Operation::kAllToAll: ::memcpy(to, from, bytes); break;
      case Operation::kAllGather:
        for (int i = 0; i < shape_.ranks; ++i) ::memcpy(to + static_cast<size_t>(i) * block, from, block);
        break;
      // All blocks are read, one is written.
      case Operation::kReduceScatter:
        for (int i = 0; i < shape_.ranks; ++i) ::memcpy(to, from + static_cast<size_t>(i) * block, block);
        break;
      case Operation::kBroadcast:
      case Operation::kScatter:
        if (rank_ != measure::kRoot) ::memcpy(to, from, block);
        break;
      case Operation::kReduce:
      case Operation::kGather:
        if (rank_ == measure::kRoot) ::memcpy(to, from, bytes);
        break;
      // There and back, of which the measurement takes half.
      case Operation::kSendRecv:
        if (rank_ % 2 == 1) {
          ::memcpy(to, from, block);
          ::memcpy(to, from, block);
        }
        break;
      case Operation::kBarrier: break;
    }
  }

 private:
  size_t source_bytes() const {
    return shape_.operation == Operation::kAllGather ? shape_.count * measure::size_of(shape_.dtype) : shape_.bytes();
  }

  int rank_;
  Shape shape_;
  measure::PlainMemory from_;
  measure::PlainMemory to_;
};

}  // namespace

int main(int argc, char** argv) {
  const peers::Work work = peers::work_of(argc, argv);
  return peers::fork_ranks(work.ranks, [&](int rank) {
    return peers::measure_rank(work, rank, "limit", [&](void*, void*) {
      return std::make_unique<Copies>(rank, most_bytes(work.points));
    });
  });
}
