#include "bench_memory.h"

#include <algorithm>

namespace psctl {

BenchMemory::BenchMemory(const BenchWorld& world, const std::vector<measure::Shape>& points, BytesOfRank bytes,
                         bool is_registered)
    : group_(world.group()) {
  if (!is_registered) {
    plain_ = std::make_unique<measure::PlainMemory>(bytes(points, world.rank()));
    data_ = plain_->data();
    return;
  }
  size_t most = 0;  // the same on all ranks
  for (int rank = 0; rank < world.size(); ++rank) most = std::max(most, bytes(points, rank));
  check(psMemAlloc(group_, most, PS_DEVICE_HOST, &data_), "psMemAlloc");
}

BenchMemory::~BenchMemory() {
  if (!plain_) psMemFree(group_, data_);
}

}  // namespace psctl
