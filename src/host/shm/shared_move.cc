#include "host/shm/shared_move.h"

#include <algorithm>

#include "base/pages.h"
#include "host/shm/share.h"

namespace ps {
namespace {

// Of a large message so little at once that a failed group soon has its memory back.
constexpr size_t kMost = 512 << 10;
constexpr uint64_t kFirstShare = kWholeShare * 7 / 16;

}  // namespace

uint64_t SharedMove::sender_share() const {
  const uint64_t share = counters_.sender_share.load(std::memory_order_relaxed);
  return share == 0 ? kFirstShare : share;
}

size_t SharedMove::most_at_once(size_t bytes) const {
  const size_t of_sender = part_of(std::min(bytes, kMost), sender_share());
  return std::max(round_up(is_sender_ ? of_sender : std::min(bytes, kMost) - of_sender, kPage), kPage);
}

void SharedMove::learn(size_t bytes) {
  if (bytes <= kMost) counters_.sender_share.store(next_share(sender_share(), is_sender_), std::memory_order_relaxed);
}

}  // namespace ps
