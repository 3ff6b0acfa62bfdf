#include "host/net/call_order.h"

#include <algorithm>

namespace ps {
namespace {

// How far a member may be ahead of another that does not wait for it: some frames for each one between them.
constexpr size_t kRemembered = 1024;

}  // namespace

CallOrder::CallOrder(Links& links) : links_(links), own_(kRemembered), reached_(static_cast<size_t>(links.size())) {}

void CallOrder::remember(uint64_t sequence, const Signature& own) { own_[sequence % kRemembered] = {sequence, own}; }

void CallOrder::compare(int peer, const LaneHeader& theirs) const {
  const Place& place = own_[theirs.sequence % kRemembered];
  if (place.sequence != theirs.sequence || place.signature == theirs.signature) return;
  throw MismatchFound{peer, theirs.signature, "", place.signature, -1, theirs.sequence};
}

const Lane::Frame* CallOrder::begun(int peer, uint64_t sequence) {
  Lane& lane = links_.collectives(peer);
  while (const Lane::Frame* frame = lane.front()) {
    const LaneHeader& header = frame->header;
    if (header.type != LaneFrame::kBegin) return nullptr;
    auto& reached = reached_[static_cast<size_t>(peer)];
    reached = std::max(reached, header.sequence);
    compare(peer, header);
    if (header.sequence == sequence) return frame;
    if (header.sequence > sequence) return nullptr;
    lane.pop();
  }
  return nullptr;
}

}  // namespace ps
