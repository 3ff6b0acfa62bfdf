// A stage of a collective: one of the plane that it runs on, or a conversion that this rank does for itself. Those on the
// host run in their order, and so do those between hosts, each beside the other: a stage waits for the one before it in
// its own row and for the one whose result it needs. Two that share a relay hand each other pieces while both run.
#pragma once

#include <memory>
#include <vector>

#include "host/call.h"
#include "host/plane.h"
#include "host/relay.h"

namespace ps {

enum class Row { kHost, kAcross };

struct Stage {
  static constexpr int kNothing = -1;

  Row row{};
  Plane* plane = nullptr;                   // nullptr: a conversion
  const std::vector<int>* ranks = nullptr;  // of the plane's members, in the group
  uint64_t sequence = 0;                    // on that plane
  int after = kNothing;                     // an earlier stage whose result it needs
  std::shared_ptr<Relay> relay;             // with a stage of the other row, which it runs beside
  Call call;
};

}  // namespace ps
