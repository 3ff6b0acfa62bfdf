// The lanes of one communicator: three to each peer, opened together when this rank first has to do with it. Frames of
// collectives and of messages have lanes of their own, so that neither waits for the other, and so have notices.
#pragma once

#include <functional>
#include <mutex>

#include "host/net/lane.h"

namespace ps {

class Links {
 public:
  // `payload_bytes`: of a frame, the same on all members. `on_use`: called when a link has been opened.
  Links(Transport& transport, int rank, int size, size_t payload_bytes, std::function<void(int)> on_use);

  int rank() const { return rank_; }
  int size() const { return static_cast<int>(links_.size()); }
  size_t payload_bytes() const { return payload_bytes_; }
  Transport& transport() const { return transport_; }

  Lane& collectives(int peer) { return use(peer).collectives; }
  Lane& messages(int peer) { return use(peer).messages; }
  Lane& notices(int peer) { return use(peer).notices; }

  // Any thread.
  bool is_used(int peer) const { return links_[static_cast<size_t>(peer)]->used.load(std::memory_order_acquire); }
  // Whether all that was sent to the peer is on its way.
  bool all_sent(int peer);
  bool data_is_sent(int peer);  // all but notices

 private:
  struct Link {
    Link(Transport& transport, int peer, size_t payload_bytes);
    Lane collectives;
    Lane messages;
    Lane notices;
    std::once_flag once;
    std::atomic<bool> used{false};
  };
  Link& use(int peer);

  Transport& transport_;
  const int rank_;
  const size_t payload_bytes_;
  const std::function<void(int)> on_use_;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace ps
