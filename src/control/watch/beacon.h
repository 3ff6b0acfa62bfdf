// How a rank can be watched without the store: a port on which it listens for as long as it lives. Nothing is asked there
// and nothing is taken from there, so there is nothing to authenticate; who connects learns from the connection's end
// that the process has ended, and from its silence that the host or the link is gone.
#pragma once

#include <poll.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/descriptor.h"

namespace ps {

class Beacon {
 public:
  // At an address of this host; where `address` is no IP address there is none.
  explicit Beacon(const std::string& address);

  uint16_t port() const { return port_; }
  void add_to(std::vector<pollfd>& polled) const;
  // Accepts and lets go whatever came and went. Never blocks.
  void serve();
  // Tells whoever watches that the end that follows is one in order.
  void say_goodbye();

 private:
  Descriptor listener_;
  uint16_t port_ = 0;
  std::vector<Descriptor> watchers_;
};

// A connection to another rank's beacon.
class Probe {
 public:
  enum class State { kTrying, kStands, kLeft, kEnded, kCut };

  // Tries until the deadline.
  Probe(const std::string& address, uint16_t port, Deadline deadline);

  void add_to(std::vector<pollfd>& polled) const;
  // Never blocks.
  State look();

 private:
  State fail(int error);

  Descriptor fd_;
  Deadline deadline_;
  State state_ = State::kTrying;
};

}  // namespace ps
