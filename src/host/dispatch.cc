#include "host/dispatch.h"

#include <cstdint>
#include <string_view>

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
    case Algorithm::kOneShot: return "one-shot";
    case Algorithm::kTwoShot: return "two-shot";
    case Algorithm::kPipeline: return "pipeline";
  }
  return "unknown";
}

std::span<const DispatchRow> dispatch_table() { return kTable; }

Algorithm choose_algorithm(Kind kind, size_t bytes) {
  for (const DispatchRow& row : kTable) {
    const std::string_view operation = row.operation;
    if ((operation == "*" || operation == kind_name(kind)) && bytes <= row.most_bytes) return row.algorithm;
  }
  return Algorithm::kPipeline;
}

}  // namespace ps
