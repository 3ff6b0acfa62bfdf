// How much of a block one side of a copy moves, where both its source and its reader can: so much that both end together.
//
// It depends on whose cache the lines are in, and so on what callers do with them: a source that keeps writing to lines
// that nobody reads moves twice as much as its reader, one whose reader uses what it gets less than half. So it is learned:
// who ended last moves a little less the next time, who ended first a little more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/pages.h"

namespace ps {

// Shares are numbers of 1 / kWholeShare.
constexpr uint64_t kWholeShare = 1024;

constexpr size_t part_of(size_t bytes, uint64_t share) { return bytes * std::min(share, kWholeShare) / kWholeShare; }

// A root that copies so much of its own leaves the rest to the others.
constexpr size_t kLargeOwnBlock = 4 << 20;

// Of a block around a root that moves `root_share` of it, in whole pages: what its source does, from the beginning on.
constexpr size_t source_part(size_t bytes, uint64_t root_share, bool is_root_source) {
  const size_t of_root = part_of(bytes, root_share) / kPage * kPage;
  return is_root_source ? of_root : bytes - of_root;
}

// Of the side that had `share`.
constexpr uint64_t next_share(uint64_t share, bool ended_last) {
  constexpr uint64_t kLeast = 4;
  constexpr uint64_t kMost = kWholeShare * 7 / 8;
  const uint64_t step = std::max<uint64_t>(share / 16, 1);
  return std::clamp(ended_last ? share - step : share + step, kLeast, kMost);
}

}  // namespace ps
