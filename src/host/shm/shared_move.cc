#include "host/shm/shared_move.h"

#include <algorithm>

#include "base/pages.h"

namespace ps {
namespace {

// A few parts of a small message, so that both sides have some; those of a large one so short that a failed group soon has
// its memory back.
constexpr size_t kParts = 3;
constexpr size_t kLeastPart = 24 << 10;
constexpr size_t kMostPart = 128 << 10;
constexpr size_t kLarge = 4 << 20;
constexpr size_t kMostPartOfLarge = 256 << 10;

}  // namespace

size_t SharedMove::part_bytes(size_t bytes) {
  return std::clamp(round_up(bytes / kParts, kPage), kLeastPart, bytes < kLarge ? kMostPart : kMostPartOfLarge);
}

}  // namespace ps
