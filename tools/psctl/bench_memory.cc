#include "bench_memory.h"

#include <stdexcept>

namespace psctl {

BenchMemory::BenchMemory(const BenchWorld& world, const std::vector<measure::Shape>& points, BytesOfRank bytes,
                         bool is_registered)
    : group_(world.group()) {
  if (is_registered) {
    throw std::runtime_error("--registered: this build of the library has no memory that all ranks of a group reach");
  }
  plain_ = std::make_unique<measure::PlainMemory>(bytes(points, world.rank()));
  data_ = plain_->data();
}

BenchMemory::~BenchMemory() = default;

}  // namespace psctl
