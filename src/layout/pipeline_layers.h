// Which layers each pipeline stage holds, and which part of a tensor each of its shards is.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace ps::layout {

// Boundaries, one more than stages: stage s holds layers [s] .. [s + 1] - 1. Where the layers do not divide evenly,
// rule "sglang" gives one more to each of the last stages, "vllm" to the stages before the last one, from there
// backwards. `partition` (empty: by the rule) is an explicit number of layers for each stage. Errors: ARGUMENT.
std::vector<int64_t> pipeline_layers(std::string_view rule, int64_t layers, int64_t stages,
                                     std::span<const int64_t> partition);

// Part `index` of `total` in equal parts: [first, second). ARGUMENT when `parts` does not divide `total`.
std::pair<int64_t, int64_t> shard_range(int64_t total, int64_t parts, int64_t index);

}  // namespace ps::layout
