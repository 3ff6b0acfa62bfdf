// The store's side of one connection without its socket: frames in, frames out. Lives on the server's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "control/store/admission.h"
#include "control/store/frame.h"
#include "control/store/handshake.h"
#include "control/store/message.h"
#include "control/store/store_data.h"
#include "control/watch/hub.h"

namespace ps {

// What all connections of one hosted store share.
struct HostedState {
  std::shared_ptr<StoreData> data;
  Admission admission;
  WatchHub hub;  // of the server's thread alone
  std::string secret;
  std::string job;
  bool world = false;       // met by a world's ranks, else served for anybody
  bool same_user = false;   // a UNIX socket without a secret: only this user's processes (and root's)
  std::string host;
  int32_t pid = 0;
  uint32_t epoch = 0;
};

struct OutgoingFrame {
  std::array<char, kFrameHeaderBytes> header;
  Value body;
  std::string mac;
};

// What a conversation needs of its connection.
class Wire {
 public:
  virtual ~Wire() = default;
  virtual void send(OutgoingFrame frame) = 0;
  // `on_deadline` after so long, unless another start or stop comes first.
  virtual void start_deadline(int64_t ms) = 0;
  virtual void stop_deadline() = 0;
  // From any thread: `on_outcome` on the server's thread.
  virtual void deliver(uint64_t wait, Outcome outcome) = 0;
};

class Conversation : private Attendee {
 public:
  // `peer` names it in texts; `user` is its user id, -1 unknown.
  Conversation(HostedState& state, std::string peer, int64_t user, Wire& wire);
  ~Conversation() override;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  bool authenticated() const { return step_ == Step::kReady; }
  uint64_t max_value_bytes() const { return state_.data->max_value_bytes(); }
  size_t mac_bytes() const { return incoming_.mac_bytes(); }

  // False: the connection is of no more use; what was sent may still be flushed.
  bool on_frame(const FrameHeader& header, std::string_view raw_header, std::string_view body, std::string_view mac);
  // A header that parse_frame_header found wrong.
  void on_bad_header(const ParsedHeader& parsed);
  void on_deadline();
  void on_outcome(uint64_t wait, Outcome outcome);

  // The connection is about to end because nothing comes through any more.
  void on_cut() { is_cut_ = true; }

  void say_goodbye();

  // For completions from other threads, which may come after the connection is gone.
  void set_self(std::weak_ptr<Wire> self) { self_ = std::move(self); }

 private:
  enum class Step { kHello, kProof, kReady };

  bool on_hello(std::string_view body);
  bool on_proof(std::string_view body);
  bool on_request(const FrameHeader& header, std::string_view body);
  bool on_watch(FrameType type, std::string_view body);
  void tell(FrameType type, std::string body) override { send(type, 0, std::move(body)); }
  void wait(uint64_t request, FrameType reply, int64_t wait_ms, const std::function<Ticket(Done)>& begin);
  bool refuse(RefusalReason reason, std::string text);
  void send(FrameType type, uint64_t request, Value body);
  void send(FrameType type, uint64_t request, std::string body);

  HostedState& state_;
  const std::string peer_;
  const int64_t user_;
  Wire& wire_;
  std::weak_ptr<Wire> self_;

  Step step_ = Step::kHello;
  Hello hello_;
  std::string hello_bytes_;
  std::string challenge_bytes_;
  bool entered_ = false;
  bool is_cut_ = false;
  FrameAuthenticator incoming_;
  FrameAuthenticator outgoing_;

  struct Waiting {
    uint64_t request;
    FrameType reply;
    Ticket ticket;
    int64_t wait_ms;
  };
  std::optional<Waiting> waiting_;
  uint64_t last_wait_ = 0;
};

}  // namespace ps
