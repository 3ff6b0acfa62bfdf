// The plane of a group whose members are on several hosts, several of them on one: shared memory on each host, the
// network between members of different hosts, in stages (planner.h), so that each byte crosses between two hosts as seldom
// as it can. What does not go in stages goes member to member over the network.
//
// Staged float sums are added host by host, and those of a deterministic group go the flat way.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "host/choices.h"
#include "host/hier/hier_operation.h"
#include "host/hier/planner.h"
#include "host/mailbox.h"
#include "host/net/net_plane.h"
#include "host/shm/shm_plane.h"

namespace ps {

class HierPlane final : public Plane {
 public:
  // As dispatch rules name it; what its planes carry is theirs.
  static constexpr const char* kDispatchName = "hosts";

  // `host`: of this rank's host, nullptr where it is alone there. `across`: of its column where hosts are even, else of the
  // leaders, nullptr for who leads none. `budget`: as for the planes.
  HierPlane(Hosts hosts, int rank, std::unique_ptr<ShmPlane> host, std::unique_ptr<NetPlane> flat,
            std::unique_ptr<NetPlane> across, uint64_t budget, const Dispatch& dispatch);

  const char* name() const override { return flat_->name(); }
  size_t memory_bytes() const override { return host_ ? host_->memory_bytes() : 0; }

  std::vector<DispatchRow> in_force() const override { return choices_.rows(); }

  void connect() override;
  bool is_connected() override { return flat_->is_connected() && (!across_ || across_->is_connected()); }
  void start(Call&& call, uint64_t sequence, OperationSlot& slot) override;
  bool reached(int member, uint64_t sequence) override { return flat_->reached(member, sequence); }

  void post(Message& message) override { mailbox_.post(message); }
  void step_messages() override { mailbox_.step(); }
  std::vector<int> retract_messages() override;
  void drop_messages() override { mailbox_.drop_all(); }
  int self_receives(int32_t tag, uint16_t group) const override { return mailbox_.self_receives(tag, group); }

  void record_failure(const Error& error) override;
  std::optional<Error> recorded_failure() override;
  void mark_freed(uint16_t tag) override;
  bool has_freed(int member, uint16_t tag) override;
  // Every other plane may end at a member that is in no call and passes nothing on.
  void note_long_wait() override { flat_->note_long_wait(); }
  void rest() override;
  bool has_heard_out(int member) override;
  std::string loss(int member) override;
  void leave(Deadline deadline) override;

  // Of a staged operation that has waited long: see Operation::missing.
  std::vector<int> missing(const std::vector<int>& awaited, const Signature& signature, uint64_t sequence) const;

  // After every step of a staged operation; `moved`: a stage has ended. One that has waited long turns to all members over
  // the network, for what cannot reach it by its stages: a failure far away, and members that called something else.
  void note_progress(const Signature& signature, uint64_t sequence, bool moved);

 private:
  bool on_own_host(int member) const { return host_ && hosts_.host_of[static_cast<size_t>(member)] == hosts_.own; }
  // The plane that this rank shares with some of other hosts, nullptr with anybody else.
  NetPlane* shared_with(int member) const {
    return place(member) == place(rank_) && host_of(member) != hosts_.own ? across_.get() : nullptr;
  }
  int place(int member) const { return hosts_.place_of[static_cast<size_t>(member)]; }
  int host_of(int member) const { return hosts_.host_of[static_cast<size_t>(member)]; }

  bool runs(Algorithm algorithm, Kind kind) const;

  const Hosts hosts_;
  const int rank_;
  std::unique_ptr<ShmPlane> host_;
  std::unique_ptr<NetPlane> flat_;
  std::unique_ptr<NetPlane> across_;
  StagePlanes planes_;
  Scratch scratch_;
  Planner planner_;
  const Choices choices_;
  Mailbox mailbox_;
  int64_t waiting_since_ns_ = 0;
  uint64_t announced_ = 0;
};

}  // namespace ps
