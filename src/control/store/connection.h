// The client's side of one connection: the handshake, then one request at a time.
#pragma once

#include <cstdint>
#include <string>

#include "control/store/frame.h"
#include "control/store/handshake.h"
#include "control/store/stream.h"

namespace ps {

struct ClientIdentity {
  Role role = Role::kClient;
  std::string id;
  std::string job;
  std::string secret;
};

// Thrown where an answer is no answer of a store.
struct Stranger {
  std::string first_bytes;  // empty: it closed the connection without a word, or said nothing
  bool silent = false;
};
// Thrown where the same attempt may succeed later.
struct NotYet {
  std::string why;
  bool silent = false;  // something accepts connections there, and has said nothing so far
};

struct Frame {
  FrameHeader header;
  TransientBytes body;
};

class Connection {
 public:
  // Throws Stranger, NotYet, what `check` does, or Error: DENIED, SYSTEM (another job, another version).
  Connection(Descriptor fd, const ClientIdentity& identity, const std::string& url, Deadline deadline,
             const StopCheck& check = nullptr);

  const Welcome& host() const { return host_; }

  // These throw StreamEnded and StreamTimeout.
  uint64_t send(FrameType type, std::string body, Deadline deadline);
  // The next frame; StreamEnded too for one that is wrong.
  Frame receive(Deadline deadline, const StopCheck& check);

  // Nothing more is sent; what the other end sends still comes.
  void finish_sending();
  // To be polled for what can be received.
  int descriptor() const { return stream_.fd(); }

 private:
  void receive_first_header(std::string& raw, Deadline deadline, const StopCheck& check);
  Frame receive_handshake(Deadline deadline, bool first, const std::string& url, const StopCheck& check);

  Stream stream_;
  Welcome host_;
  uint32_t epoch_ = 0;
  uint64_t last_request_ = 0;
  FrameAuthenticator outgoing_;
  FrameAuthenticator incoming_;
};

}  // namespace ps
