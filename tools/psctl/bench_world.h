// A rank's world for `psctl bench`, and the shared memory in which its measurement meets. The ranks find that memory
// through the world's store, so it does not matter who started them.
#pragma once

#include <parallelstate.h>

#include <memory>
#include <string>

#include "bench.h"
#include "measure/meeting.h"

namespace psctl {

// Throws what the library says.
void check(psResult result, const char* what);

class BenchWorld {
 public:
  explicit BenchWorld(const BenchOptions& options);
  BenchWorld(const BenchWorld&) = delete;
  ~BenchWorld();

  psContext context() const { return context_; }
  psGroup group() const { return group_; }
  int32_t rank() const { return rank_; }
  int32_t size() const { return size_; }
  std::string backend() const;

  // Of all ranks, made at the first call, on all of them.
  measure::Meeting& meeting();

 private:
  psContext context_ = nullptr;
  psGroup group_ = nullptr;
  int32_t rank_ = 0;
  int32_t size_ = 1;
  std::unique_ptr<measure::Region> region_;
  std::unique_ptr<measure::Meeting> meeting_;
};

}  // namespace psctl
