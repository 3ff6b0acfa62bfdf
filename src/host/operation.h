// Every host algorithm is a resumable step function: it does what can be done now and never waits. Whoever waits for the
// operation, or tests it, or the context's progress thread, steps it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/signature.h"

namespace ps {

// Thrown by a step that sees two calls differ: a peer's from this rank's, or from a third one's.
struct MismatchFound {
  int peer;             // rank in the group
  Signature theirs;
  std::string detail;   // what differs beyond the signature, "" nothing
  std::optional<Signature> ours = std::nullopt;  // where it is not the signature of the operation that was stepped
  int other = -1;                                // whose `ours` is, where not this rank's
  uint64_t number = 0;                           // of the collective, where not the one that was stepped
};

class Operation {
 public:
  virtual ~Operation() = default;

  // True when complete. Throws MismatchFound.
  virtual bool step() = 0;

  // The members without which it cannot go on now.
  virtual std::vector<int> awaited() const = 0;
  // Those to blame where it has waited too long: not who is awaited but waits for others itself, as far as that is known.
  virtual std::vector<int> missing() const { return awaited(); }

  // After the group has failed: takes back what the operation lent its peers, and says which of them touch it at this
  // moment. From then on none begins to.
  virtual std::vector<int> retract() { return {}; }
};

}  // namespace ps
