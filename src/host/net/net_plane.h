// The plane of a group whose members do not share memory: frames over a plugin's transport. Connected, peer by peer, when
// this rank first has to do with one.
#pragma once

#include <thread>

#include "host/choices.h"
#include "host/mailbox.h"
#include "host/net/net_operation.h"
#include "host/net/notices.h"
#include "host/plane.h"

namespace ps {

class NetPlane final : public Plane {
 public:
  static constexpr const char* kDispatchName = "net";

  // `budget` bounds the memory of a rank's lanes in bytes (psConfig.host_buffer_bytes). The world outlives the plane.
  NetPlane(const TransportModule& module, World& world, uint64_t serial, const std::vector<int32_t>& global_ranks, int rank,
           uint64_t budget, const Dispatch& dispatch);
  ~NetPlane() override;

  const char* name() const override { return name_; }
  std::vector<DispatchRow> in_force() const override { return choices_.rows(); }

  void connect() override;
  bool is_connected() override;
  void start(Call&& call, uint64_t sequence, OperationSlot& slot) override;
  bool reached(int member, uint64_t sequence) override { return state_.order.reached(member, sequence); }

  void post(Message& message) override { mailbox_.post(message); }
  void step_messages() override { mailbox_.step(); }
  void drop_messages() override { mailbox_.drop_all(); }
  int self_receives(int32_t tag, uint16_t group) const override { return mailbox_.self_receives(tag, group); }

  void record_failure(const Error& error) override;
  std::optional<Error> recorded_failure() override { return notices_.failure(); }
  void mark_freed(uint16_t tag) override { notices_.mark_freed(tag); }
  bool has_freed(int member, uint16_t tag) override { return notices_.has_freed(member, tag); }

  void note_long_wait() override;
  void rest() override { transport_->rest(); }
  bool has_heard_out(int member) override;
  std::string loss(int member) override;
  void leave(Deadline deadline) override;

  // For a plane that goes another way in some calls: tells all members what this rank calls at that place, as far as there
  // is room.
  void announce(uint64_t sequence, const Signature& own);
  // Turns to all members, and compares what they begin here or tell with what this rank calls at that place. Throws
  // MismatchFound.
  void compare_begun(uint64_t sequence, const Signature& own);
  // Whether this rank has had to do with the member here, and something may still come from it.
  bool is_linked(int member) const { return links_.is_used(member) && !transport_->is_lost(member); }
  std::unique_ptr<MessagePath> open_path(int peer);
  // Of a large collective.
  size_t piece_bytes() const { return links_.sizes().piece; }

 private:
  void begin_with(int peer);
  void begin_watching();
  // As long as the store is needed.
  void listen();
  // Once nobody can have left anything at the store, or at the end.
  void stop_listening(bool at_end);
  std::optional<size_t> most_bytes(Algorithm algorithm, Kind kind) const;
  void watch();
  bool is_sent_off();
  bool is_gone(int member) const;
  // For how long nothing has moved to or from the member, of the time since this was first asked.
  int64_t silent_ns(int member);

  struct Silence {
    std::atomic<uint64_t> moved{0};
    std::atomic<int64_t> since_ns{0};
  };
  const char* name_;
  World& world_;
  const std::vector<int32_t> global_ranks_;
  std::unique_ptr<Transport> transport_;  // ends before the memory that it moves
  Links links_;
  const Choices choices_;
  NetState state_;
  Mailbox mailbox_;
  Notices notices_;
  std::vector<Silence> silences_;  // by member
  std::once_flag watching_;
  std::mutex listening_mutex_;
  bool listening_ = false;  // for what peers leave at the store
  std::atomic<bool> said_goodbye_{false};
  std::atomic<bool> stopping_{false};
  std::thread watcher_;
};

}  // namespace ps
