// A world as one rank sees it: who is in it, on which hosts, how they are doing, and the store they share.
//
// Forming it is two agreements. The ranks meet at the store and tell each other who they are; on each host the first
// rank hands the host segment to the others. The members of every later communicator agree and hand over in the same way.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control/guardian.h"
#include "control/handover.h"
#include "control/launch.h"
#include "control/store/store.h"
#include "control/store/store_bell.h"
#include "control/waiting.h"
#include "control/watch/watch.h"

namespace ps {

class World {
 public:
  // Collective over the world. `on_death` is called on the guardian's thread when a rank was found dead.
  World(LaunchSettings settings, std::function<void()> on_death);
  ~World();

  // All ranks have joined, as they have agreed on something since.
  void complete() {
    TransientVector<std::string_view>().swap(local_tickets_);
    TransientBytes().swap(ticket_text_);
  }
  // Leaves in order: peers that wait for this rank learn that it left; what it has already sent stays readable. Where
  // this process hosts the store, waits for the others to leave, at most until the deadline. Idempotent.
  void leave(Deadline deadline);
  // Set first by whoever leaves, so that handles which outlive the context can tell.
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // False when it was closed before.
  bool close() { return !closed_.exchange(true); }

  const LaunchSettings& settings() const { return settings_; }
  const Logger& logger() const { return logger_; }
  // Throws STATE after leave().
  std::shared_ptr<Store> store() const;
  // By which ranks tell each other that something is there for them.
  StoreBell& store_bell() const { return *store_bell_; }
  bool in_process() const { return in_process_; }
  uint64_t id() const { return id_; }
  int32_t rank() const { return settings_.rank; }
  int32_t size() const { return settings_.world_size; }
  Member member(int32_t rank) const { return roster_.member(rank); }
  int32_t node_count() const { return node_count_; }
  bool share_a_host(const std::vector<int32_t>& ranks) const;
  int32_t local_size() const { return segment_->local_size(); }

  HostSegment& segment() const { return *segment_; }
  Doorbell& doorbell() const { return segment_->own().doorbell; }
  const WaitPolicy& wait_policy() const { return wait_policy_; }
  // Whether this host's ranks are more than the CPUs that any of them sees for all: the same on each of them.
  bool is_crowded() const { return is_crowded_; }
  // nullptr for a rank on another host.
  RankLines* lines(int32_t rank) const;
  // Whether these ranks, all of this host, reach each other's memory (base/process_memory.h). The same on all of them, from
  // the first agreement of all ranks on.
  bool reach_each_other(const std::vector<int32_t>& ranks) const;
  // Whether they are also to make use of it for large data: where it is faster than shared memory, or one was told to.
  bool reaching_pays(const std::vector<int32_t>& ranks) const;

  psRankState state(int32_t rank) const;
  int64_t silent_ms(int32_t rank) const;
  // The rank that was found dead first among `ranks`, PS_NO_RANK while all live.
  int32_t first_dead(const std::vector<int32_t>& ranks) const;
  bool has_left(int32_t rank) const;

  // This rank's attempts to make groups, by a count of its own: one may fail here and succeed on others, which must not
  // wait for it.
  uint64_t begin_attempt() const;
  // `follows`: because another member had abandoned its own.
  void abandon_attempt(uint64_t attempt, bool follows) const;
  bool has_abandoned(int32_t rank, uint64_t attempt) const;
  // Of one that it has abandoned.
  bool has_followed(int32_t rank, uint64_t attempt) const;

  // "rank 3 (pid 77 on host h)"
  std::string who(int32_t rank) const;
  // What happened to a dead rank, to follow its name.
  const char* how_lost(int32_t rank) const { return describe_loss(segment_->loss(rank)); }

  // An operation of this rank has waited for long, and may do so for that one: if it is on another host, the link is tried.
  void note_awaited(int32_t rank) const {
    if (watch_) watch_->note_awaited(rank);
  }
  // Neither that rank, on another host, nor this one reaches the other, though the store hears both.
  bool is_cut_off(int32_t rank) const { return watch_ && watch_->is_cut_off(rank); }
  bool any_cut_off() const { return watch_ && watch_->any_cut_off(); }
  // To follow its name.
  std::string how_cut_off(int32_t rank) const;

  // Throws PEER_FAILED when one of `ranks` is dead or has left, ABORTED when this rank is leaving; `doing` begins the text.
  void check_living(const std::vector<int32_t>& ranks, const std::string& doing) const;

 private:
  Exchanged meet(const Exchange& exchange, Deadline deadline) const;
  void join(const Offer& offer, Deadline deadline);
  void share_segment(Offer& offer, Deadline deadline);
  void find_reach();
  bool reaches_mates() const;
  void watch_other_hosts(const StoreSettings& store, Deadline deadline);
  // Logs the deaths of ranks that ended before their guardians could tell.
  void notice_vanished() const;
  // Those that the kernel has said are dead.
  void log_marked(const std::vector<int32_t>& ranks) const;

  std::atomic<bool> closed_{false};
  LaunchSettings settings_;
  Logger logger_;
  bool in_process_ = false;
  mutable std::mutex store_mutex_;
  std::shared_ptr<Store> store_;
  uint64_t id_ = 0;
  std::unique_ptr<StoreBell> store_bell_;
  // What mates try to read, and whether they may, by local index; none once they have.
  struct Probe {
    uint64_t address;
    uint64_t word;
  };
  const uint64_t probe_word_;
  std::vector<Probe> local_probes_;
  Roster roster_;               // the segment's; while there is none yet, that:
  TransientBytes first_roster_;
  TransientVector<std::string_view> local_tickets_;  // of their offers, which stand until they have joined, not later
  TransientBytes ticket_text_;                       // where they lie
  mutable int last_asked_ = 0;              // whose offer was asked about last, from this rank's place on
  int32_t node_count_ = 1;
  WaitPolicy wait_policy_;
  bool is_crowded_ = false;
  std::shared_ptr<HostSegment> segment_;
  std::unique_ptr<Watch> watch_;        // none where the world is on one host
  std::unique_ptr<Guardian> guardian_;  // none where ranks are threads: they cannot die alone
};

}  // namespace ps
