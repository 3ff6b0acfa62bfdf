// Every host algorithm is a resumable step function: it does what can be done now and never waits. Whoever waits for the
// operation, or tests it, or the context's progress thread, steps it.
#pragma once

#include <string>
#include <vector>

#include "host/signature.h"

namespace ps {

// Thrown by a step that sees a peer's call differ from this rank's.
struct MismatchFound {
  int peer;             // rank in the group
  Signature theirs;
  std::string detail;   // what differs beyond the signature, "" nothing
};

class Operation {
 public:
  virtual ~Operation() = default;

  // True when complete. Throws MismatchFound.
  virtual bool step() = 0;

  // The members without which it cannot go on now.
  virtual std::vector<int> awaited() const = 0;
};

}  // namespace ps
