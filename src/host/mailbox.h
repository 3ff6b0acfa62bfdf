// Point-to-point messages of one member: matching by (peer, group, tag) in order. Small ones are sent at once, of large
// ones the beginning, and the rest when their receive is posted. Each pair has its own path in each direction, so a full
// path to one peer delays no other; and what arrives without a receive is moved out of the path, so no message waits
// behind another one either. Where a path can, large ones are lent instead: both sides tell where their buffers are.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/message_path.h"
#include "host/operation.h"
#include "host/path_counts.h"
#include "host/self_messages.h"

namespace ps {

class Mailbox {
 public:
  // Opens the path to a peer, at the first message to or from it.
  using OpenPath = std::function<std::unique_ptr<MessagePath>(int peer)>;
  Mailbox(int rank, OpenPath open_path, PathCounts& paths);
  ~Mailbox();

  // A message that needs not be kept, as it can be sent or received now: most small ones, for which bookkeeping would be
  // half of the work. Unless it is done nothing has happened; false: post() must.
  bool send_at_once(const Message& message);
  AtOnce receive_at_once(const Message& message);
  void post(Message& message);
  // Moves whatever can be moved. Throws MismatchFound where a receive meets a send of another count or type.
  void step();
  // Forgets every message, as their group has failed.
  void drop_all();
  // How many receives from this rank itself are posted for a tag.
  int self_receives(int32_t tag, uint16_t group) const { return own_.receives(tag, group); }

 private:
  struct Unexpected;
  struct Peer;

  // nullptr before the first message to or from it.
  Peer* known(int peer) const { return static_cast<size_t>(peer) < peers_.size() ? peers_[static_cast<size_t>(peer)].get() : nullptr; }
  Peer& meet(int peer);
  void receive(int peer, const Entry& entry);
  void expect_pieces(Peer& peer, Message& receive, uint64_t number);
  void take(Peer& peer, Message& receive, uint64_t number, uint64_t address);
  bool move_lent(Peer& peer);
  void keep(Peer& peer, const Entry& entry);
  void flush(int peer);
  bool interested(const Peer& peer) const;

  const int rank_;
  const OpenPath open_path_;
  PathCounts& paths_;
  uint64_t next_number_ = 1;
  std::vector<std::unique_ptr<Peer>> peers_;  // as far as the highest that there was a message with
  SelfMessages own_;
};

}  // namespace ps
