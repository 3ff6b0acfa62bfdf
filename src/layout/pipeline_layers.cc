#include "layout/pipeline_layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"
#include "layout/sizes.h"

namespace ps::layout {
namespace {

constexpr size_t kMostShown = 64;  // stages of a partition

// How many layers a stage has where no partition says so.
int64_t even_share(std::string_view rule, int64_t layers, int64_t stages, int64_t stage) {
  const int64_t left = layers % stages;
  const int64_t end = rule == "sglang" ? stages : stages - 1;  // the stages before it have one more
  return layers / stages + (stage >= end - left && stage < end ? 1 : 0);
}

void check_partition(std::span<const int64_t> partition, int64_t layers) {
  int64_t sum = 0;
  for (size_t stage = 0; stage < partition.size(); ++stage) {
    if (partition[stage] < 0 || partition[stage] > layers) {
      fail(PS_ERR_ARGUMENT, "the partition gives stage {} {} layers of {}", stage, partition[stage], layers);
    }
    if (__builtin_add_overflow(sum, partition[stage], &sum)) fail(PS_ERR_ARGUMENT, "the partition's sum overflows");
  }
  if (sum != layers) {
    const auto first = partition.first(std::min(partition.size(), kMostShown));
    const char* more = partition.size() > kMostShown ? "+..." : "";
    const int64_t apart = sum < layers ? layers - sum : sum - layers;
    fail(PS_ERR_ARGUMENT, "the partition {}{} has {} layers, {} {} than the model's {}", fmt::join(first, "+"), more, sum,
         apart, sum < layers ? "fewer" : "more", layers);
  }
}

}  // namespace

std::vector<int64_t> pipeline_layers(std::string_view rule, int64_t layers, int64_t stages,
                                     std::span<const int64_t> partition) {
  if (rule != "sglang" && rule != "vllm") {
    fail(PS_ERR_ARGUMENT, "unknown rule '{}' for pipeline layers; there are sglang and vllm", rule.substr(0, 64));
  }
  if (layers < 0) fail(PS_ERR_ARGUMENT, "{} layers cannot be divided; give 0 or more", layers);
  if (stages < 1) fail(PS_ERR_ARGUMENT, "{} stages cannot hold layers; give 1 or more", stages);
  if (!partition.empty()) check_partition(partition, layers);
  std::vector<int64_t> boundaries(static_cast<size_t>(stages) + 1);
  for (int64_t stage = 0; stage < stages; ++stage) {
    const auto at = static_cast<size_t>(stage);
    boundaries[at + 1] = boundaries[at] + (partition.empty() ? even_share(rule, layers, stages, stage) : partition[at]);
  }
  return boundaries;
}

std::pair<int64_t, int64_t> shard_range(int64_t total, int64_t parts, int64_t index) {
  if (total < 0) fail(PS_ERR_ARGUMENT, "a size of {} has no shards", total);
  if (parts < 1) fail(PS_ERR_ARGUMENT, "{} shards are none; give 1 or more", parts);
  if (index < 0 || index >= parts) fail(PS_ERR_ARGUMENT, "shard {} is none of the shards 0 .. {}", index, parts - 1);
  if (total % parts != 0) {
    fail(PS_ERR_ARGUMENT, "{} shards do not divide {} ({}); try {} shards", parts, total, division(total, parts),
         any_of(nearest_divisors(total, parts)));
  }
  const int64_t size = total / parts;
  return {index * size, (index + 1) * size};
}

}  // namespace ps::layout
