#include "group/dispatch.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "host/shm/one_shot.h"

namespace ps {
namespace {

constexpr DispatchRow kTable[] = {
    {"uneven", "host", SIZE_MAX, Algorithm::kPipeline},
    {"*", "host", 64 << 10, Algorithm::kOneShot},
    {"all_reduce", "host", SIZE_MAX, Algorithm::kTwoShot},
    {"*", "host", SIZE_MAX, Algorithm::kPipeline},
};

}  // namespace

const char* algorithm_name(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kCopy: return "copy";
    case Algorithm::kOneShot: return "one-shot";
    case Algorithm::kTwoShot: return "two-shot";
    case Algorithm::kPipeline: return "pipeline";
  }
  return "unknown";
}

std::span<const DispatchRow> dispatch_table() { return kTable; }

Algorithm choose_algorithm(const Call& call, const Geometry& geometry) {
  if (geometry.size == 1) return Algorithm::kCopy;
  if (call.uneven) return Algorithm::kPipeline;
  const size_t bytes = OneShot::staged_bytes(call, geometry.size);
  for (const DispatchRow& row : kTable) {
    const std::string_view operation = row.operation;
    if (operation != "*" && operation != kind_name(call.signature.kind)) continue;
    // A small budget makes slots smaller than the table's limit.
    const size_t most = row.algorithm == Algorithm::kOneShot ? std::min(row.most_bytes, geometry.slot_bytes) : row.most_bytes;
    if (bytes <= most) return row.algorithm;
  }
  return Algorithm::kPipeline;
}

}  // namespace ps
