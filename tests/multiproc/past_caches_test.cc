// Results that are stored past the caches, as large ones are: with PS_COPY=stream always, whatever is faster here.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

// Of an output: more than what sums and copies need to leave the caches (4 MiB), and no whole number of lines.
constexpr size_t kCount = (size_t{5} << 20) / sizeof(float) + 7;

float value(int rank, size_t index) { return static_cast<float>((rank + 1) * static_cast<int>(index % 1009)); }

void fill(float* data, size_t count, int rank) {
  for (size_t i = 0; i < count; ++i) data[i] = value(rank, i);
}

// That every element is `factor` times what rank 0 gives, from element `first` of its input on.
void require_all(const float* data, size_t count, int factor, size_t first, const char* what) {
  size_t right = 0;
  while (right < count && data[right] == static_cast<float>(factor) * value(0, first + right)) ++right;
  require(right == count, std::string(what) + ": element " + std::to_string(right) + " is wrong");
}

const Body past_caches("past_caches", [](Member& member) {
  const char* const setting = ::getenv("PS_COPY");
  require(setting != nullptr && std::string(setting) == "stream", "to be run with PS_COPY=stream");
  const psGroup world = member.world;
  const auto size = static_cast<size_t>(member.size);
  const int sum = member.size * (member.size + 1) / 2;
  std::vector<float> in(kCount * size);
  std::vector<float> out(kCount * size);
  fill(in.data(), in.size(), member.rank);

  require_ok(psReduceScatter(world, in.data(), out.data(), kCount, PS_FLOAT32, PS_SUM, nullptr, nullptr));
  require_all(out.data(), kCount, sum, kCount * static_cast<size_t>(member.rank), "reduce_scatter");
  require_ok(psReduce(world, in.data(), out.data(), kCount, PS_FLOAT32, PS_SUM, 1, nullptr, nullptr));
  if (member.rank == 1) require_all(out.data(), kCount, sum, 0, "reduce");
  require_ok(psReduce(world, in.data(), out.data(), kCount, PS_FLOAT32, PS_MAX, 0, nullptr, nullptr));
  if (member.rank == 0) require_all(out.data(), kCount, member.size, 0, "reduce, the largest");
  require_ok(psAllReduce(world, in.data(), out.data(), kCount, PS_FLOAT32, PS_SUM, nullptr, nullptr));
  require_all(out.data(), kCount, sum, 0, "all_reduce");
  require_ok(psAllGather(world, in.data(), out.data(), kCount, PS_FLOAT32, nullptr, nullptr));
  for (size_t i = 0; i < size; ++i) require_all(&out[kCount * i], kCount, static_cast<int>(i) + 1, 0, "all_gather");

  void* memory = nullptr;
  require_ok(psMemAlloc(world, 2 * kCount * sizeof(float), PS_DEVICE_HOST, &memory));
  auto* const shared = static_cast<float*>(memory);
  fill(shared, kCount, member.rank);
  require_ok(psAllReduce(world, shared, shared + kCount, kCount, PS_FLOAT32, PS_SUM, nullptr, nullptr));
  require_all(shared + kCount, kCount, sum, 0, "all_reduce in shared memory");
  require_ok(psAllReduce(world, shared, shared, kCount, PS_FLOAT32, PS_SUM, nullptr, nullptr));
  require_all(shared, kCount, sum, 0, "all_reduce in place in shared memory");
  require_ok(psMemFree(world, memory));
});

TEST(PastCaches, ResultsAreAllThere) {
  for (const int size : {2, 3}) run_world(past_caches, Ranks::kProcesses, size);
}

}  // namespace
}  // namespace ps_test
