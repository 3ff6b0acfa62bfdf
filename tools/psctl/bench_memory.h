// The buffers of a measurement: this process's own pages, or memory of the group that every rank reaches.
#pragma once

#include <parallelstate.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "bench_world.h"
#include "measure/subject.h"

namespace psctl {

class BenchMemory {
 public:
  using BytesOfRank = size_t (*)(const std::vector<measure::Shape>& points, int rank);

  // On all ranks with equal arguments, in the same order.
  BenchMemory(const BenchWorld& world, const std::vector<measure::Shape>& points, BytesOfRank bytes,
              bool is_registered);
  BenchMemory(const BenchMemory&) = delete;
  ~BenchMemory();
  void* data() const { return data_; }

 private:
  psGroup group_;
  std::unique_ptr<measure::PlainMemory> plain_;
  void* data_ = nullptr;
};

}  // namespace psctl
