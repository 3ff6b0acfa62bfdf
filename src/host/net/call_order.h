// The order of collectives as one member sees it: what it called at each place, and what the frames of others say that
// they called there. A member sends the beginning of its call to those it exchanges data with; whoever gets one compares
// it, at once or when it comes to that place, and one comparison that fails fails the group for all. (Of two calls that
// differ, at least one is sent to somebody who called the other: a rooted one goes to its root, and from there to all.)
#pragma once

#include <vector>

#include "host/net/links.h"
#include "host/operation.h"

namespace ps {

class CallOrder {
 public:
  explicit CallOrder(Links& links);

  void remember(uint64_t sequence, const Signature& own);
  // The peer's frame that begins `sequence`, left where it is; nullptr: not there yet. Takes those of earlier calls away,
  // for which this rank did not wait. Throws MismatchFound.
  const Lane::Frame* begun(int peer, uint64_t sequence);
  // Whether the peer is known to have begun it.
  bool reached(int peer, uint64_t sequence) const { return reached_[static_cast<size_t>(peer)] >= sequence; }

 private:
  void compare(int peer, const LaneHeader& theirs) const;

  struct Place {
    uint64_t sequence = 0;
    Signature signature;
  };
  Links& links_;
  std::vector<Place> own_;  // the latest, by sequence
  std::vector<uint64_t> reached_;
};

}  // namespace ps
