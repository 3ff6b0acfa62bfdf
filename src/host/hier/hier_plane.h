// The plane of a group whose members are on several hosts, several of them on one: shared memory on each host, the
// network among the hosts' leaders. All_reduce, broadcast and barrier go in stages, so that each byte crosses between two
// hosts once for all their members; everything else goes member to member over the network.
//
// Staged sums are added host by host, so a deterministic group, and types that round once after a sum in float32, take
// the flat way.
#pragma once

#include <memory>

#include "host/hier/hier_operation.h"
#include "host/hier/hosts.h"
#include "host/mailbox.h"
#include "host/net/net_plane.h"
#include "host/shm/shm_plane.h"

namespace ps {

class HierPlane final : public Plane {
 public:
  // `host`: of this rank's host, nullptr where it is alone there. `leaders`: nullptr unless this rank leads its host.
  HierPlane(Hosts hosts, int rank, std::unique_ptr<ShmPlane> host, std::unique_ptr<NetPlane> flat,
            std::unique_ptr<NetPlane> leaders);

  const char* name() const override { return flat_->name(); }
  size_t memory_bytes() const override { return host_ ? host_->memory_bytes() : 0; }

  void connect() override;
  bool is_connected() override { return flat_->is_connected() && (!leaders_ || leaders_->is_connected()); }
  void start(Call&& call, uint64_t sequence, OperationSlot& slot) override;
  bool reached(int member, uint64_t sequence) override { return flat_->reached(member, sequence); }

  void post(Message& message) override { mailbox_.post(message); }
  void step_messages() override { mailbox_.step(); }
  void drop_messages() override { mailbox_.drop_all(); }
  int self_receives(int32_t tag, uint16_t group) const override { return mailbox_.self_receives(tag, group); }

  void record_failure(const Error& error) override;
  std::optional<Error> recorded_failure() override;
  void mark_freed(uint16_t tag) override;
  bool has_freed(int member, uint16_t tag) override;
  bool has_heard_out(int member) override;
  std::string loss(int member) override;
  void leave(Deadline deadline) override;

  // After every step of a staged operation. One that has waited long turns to all members over the network, for what
  // cannot reach it by its stages: a failure far away, and members that called something else.
  void note_progress(const Signature& signature, uint64_t sequence, bool done);

 private:
  bool on_own_host(int member) const { return host_ && hosts_.host_of[static_cast<size_t>(member)] == hosts_.own; }
  // The plane that this rank shares with a leader of another host, nullptr with anybody else.
  NetPlane* shared_with(int member) const {
    return place(member) == 0 && host_of(member) != hosts_.own ? leaders_.get() : nullptr;
  }
  int place(int member) const { return hosts_.place_of[static_cast<size_t>(member)]; }
  int host_of(int member) const { return hosts_.host_of[static_cast<size_t>(member)]; }

  std::vector<Stage> all_reduce(const Call& call);
  std::vector<Stage> broadcast(const Call& call);
  std::vector<Stage> barrier(const Call& call);
  Stage on_host(Call call, Kind kind, int root);
  Stage among_leaders(Call call, Kind kind, int root);

  const Hosts hosts_;
  const int rank_;
  std::unique_ptr<ShmPlane> host_;
  std::unique_ptr<NetPlane> flat_;
  std::unique_ptr<NetPlane> leaders_;
  Mailbox mailbox_;
  uint64_t host_sequence_ = 0;
  uint64_t leaders_sequence_ = 0;
  int64_t waiting_since_ns_ = 0;
};

}  // namespace ps
