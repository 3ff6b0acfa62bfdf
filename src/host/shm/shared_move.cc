#include "host/shm/shared_move.h"

#include <algorithm>

#include "base/pages.h"

namespace ps {
namespace {

// One part for each side, so that nothing is asked of the kernel more often than it must: of the sender's writing comes
// about twice as much as of the receiver's reading, which fetches each line from the sender's cache. Of a large message so
// little at once that a failed group soon has its memory back.
constexpr size_t kSenderShare = 11;
constexpr size_t kReceiverShare = 5;
constexpr size_t kMost = 512 << 10;

}  // namespace

size_t SharedMove::most_at_once(size_t bytes) const {
  return round_up(std::min(bytes, kMost) * (is_sender_ ? kSenderShare : kReceiverShare) / (kSenderShare + kReceiverShare), kPage);
}

}  // namespace ps
