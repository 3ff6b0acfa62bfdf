// Point-to-point messages of one member: matching by (peer, group, tag) in order, small ones eager, large ones when their
// receive is posted. Each pair has its own ring in each direction, so a full path to one peer delays no other; and what
// arrives without a receive is moved out of the ring, so no message waits behind another one either.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "host/operation.h"
#include "host/shm/board.h"
#include "host/shm/message_ring.h"

namespace ps {

// One send or receive in flight. Owned by the caller, which keeps it until it is done.
struct Message {
  Signature signature;  // kind, dtype, count, peer as root, group
  int peer = 0;
  int32_t tag = 0;
  std::byte* buffer = nullptr;
  size_t bytes = 0;
  bool done = false;

  bool is_send() const { return signature.kind == Kind::kSend; }

  uint64_t number = 0;  // of a large send, for this sender
  size_t moved = 0;     // bytes of a large message so far
};

class Mailbox {
 public:
  // Without a board (a group of one, or members on other hosts) only messages to oneself are possible.
  Mailbox(Board* board, int size, int rank);
  ~Mailbox();

  void post(Message& message);
  // Moves whatever can be moved. Throws MismatchFound where a receive meets a send of another count or type.
  void step();
  // Forgets every message, as their group has failed.
  void drop_all();
  // How many receives from this rank itself are posted for a tag.
  int self_receives(int32_t tag, uint16_t group) const;

 private:
  struct Unexpected;
  struct Peer;

  void post_self(Message& message);
  void receive(int peer, const Entry& entry);
  void match(int peer, Message& receive, const Signature& sent);
  void flush(int peer);
  bool interested(const Peer& peer) const;

  Board* board_;
  int rank_;
  uint64_t next_number_ = 1;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::deque<Message*> self_sends_;
  std::deque<Message*> self_receives_;
};

}  // namespace ps
