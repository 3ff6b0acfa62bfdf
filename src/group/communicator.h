// The members of a group, the memory they share, the operations they have in flight, and their first failure. Groups of
// equal members share one.
//
// Collectives stand in one queue and are stepped at its head; messages are matched by the plane and stand in no queue.
// Whoever waits for an operation steps it; for asynchronous ones that nobody waits for, the progress thread does.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/lock.h"
#include "control/world.h"
#include "group/planes.h"
#include "group/queue.h"
#include "group/request.h"
#include "host/copy/methods.h"

namespace ps {

class Progress;

class Communicator : public std::enable_shared_from_this<Communicator> {
 public:
  // `plane`: none where data cannot be moved between the members.
  Communicator(std::shared_ptr<World> world, std::shared_ptr<Progress> progress, uint64_t serial,
               std::vector<int32_t> global_ranks, std::string asked_backend, MadePlane plane);
  ~Communicator();

  World& world() const { return *world_; }
  uint64_t serial() const { return serial_; }
  const std::vector<int32_t>& global_ranks() const { return global_ranks_; }
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(global_ranks_.size()); }
  int host_count() const { return host_count_; }
  // "auto" unless its groups were made with another one.
  const std::string& asked_backend() const { return asked_backend_; }
  // nullptr without a plane.
  const char* backend() const { return plane_ ? plane_->name() : nullptr; }
  size_t memory_bytes() const { return plane_ ? plane_->memory_bytes() : 0; }
  // See Plane::domains and Plane::in_force.
  std::string domains() const { return plane_ ? plane_->domains() : ""; }
  std::vector<DispatchRow> in_force() const { return plane_ ? plane_->in_force() : std::vector<DispatchRow>(); }
  // See Plane::paths; nullptr without a plane.
  const PathCounts* paths() const { return plane_ ? &plane_->paths() : nullptr; }

  // See Plane::connect.
  void connect() {
    if (plane_) plane_->connect();
  }
  bool is_connected() { return !plane_ || failed_.load() || plane_->is_connected(); }

  // A collective is about to be submitted. A peer that waits for this rank's line has it in its cache: fetching it back
  // takes as long as the checks of a call, and may as well begin before them.
  void expect_collective() const {
    if (plane_) own_line(plane_->next_line());
  }
  void expect_send() const {
    if (plane_) own_line(plane_->next_message_line());
  }
  // Runs a collective, or one message to another member, to its end. Throws what refuses the call, or its failure.
  void run(GroupLabel& label, Call&& call, int64_t timeout_ms);
  void run(GroupLabel& label, const Message& message, int64_t timeout_ms);
  // Takes a place in the order and starts. Throws what refuses the call, or the failure that the group already has.
  void submit(CollectiveRequest& request, Call&& call);
  void submit(MessageRequest& request);
  // True when the request has finished, false when the deadline passed first. Steps the communicator meanwhile.
  bool wait(Request& request, Deadline deadline);
  bool test(Request& request);
  // "rank 2 (pid 7 on host h) has not arrived; ...": whom the request waits for.
  std::string missing(const Request& request);

  // The first failure wins. `tell` records it for the other members too, unless they know it by themselves. This, failure()
  // and notice_deaths() are called with no lock held, as they may call the log's sink.
  void fail(const Error& error, bool tell);
  // nullptr while there is none. Never blocks on an operation.
  std::shared_ptr<const Error> failure();
  // For the guardian: fails the communicator when a member died.
  void notice_deaths();
  // Ends every operation of this rank; no buffer is touched afterwards.
  void close(const Error& error);
  // Receives from this rank itself that are posted for a tag.
  int self_receives(int32_t tag, uint16_t group);
  // Why nothing more comes from a member on the group with that tag, "" while something may.
  std::string gone(int member, const GroupLabel& label) const;
  // This rank has freed the group with that tag.
  void mark_freed(uint16_t tag);

  // Memory that every member reaches; `uses_regions`: whether operations here make use of it.
  bool uses_regions() const { return plane_ && plane_->uses_regions(); }
  void add_region(std::shared_ptr<const Region> region);
  void remove_region(uint64_t id);

  // Waits for the asynchronous operations of one group.
  void wait_until_idle(const GroupLabel& label, Deadline deadline);
  // After an asynchronous submit: makes sure that somebody steps it, or fails the group where nobody can.
  void watch() noexcept;
  // For the progress thread: true while asynchronous operations are left that nobody waits for.
  bool progress(bool thorough);
  bool is_to_be_stepped() const { return unfinished_.load() > 0; }

  // For the creation of groups: the tag of the next group on this communicator, from its first member.
  uint16_t next_tag() { return next_tag_.fetch_add(1); }
  static constexpr int kMostGroups = 64;  // stages rely on it, see Planner::kTagBits

 private:
  // All within a lock. A blocking call begins with a burst of steps, which is all that a small operation takes. The deadline
  // counts from the end of the burst, so a call that needs no more does not ask for the time.
  template <class Step>
  void step_in_burst(Request& request, Step&& step);
  void start(CollectiveRequest& request, Call&& call);
  // A collective that goes in one shot needs no request where everybody comes at once. False: it is none, or somebody does not.
  bool begin_small(const GroupLabel& label, const Call& call);
  bool end_small(const Call& call);
  void resume_small(CollectiveRequest& request, Call&& call);
  bool run_at_once(const GroupLabel& label, const Message& message);
  void start(MessageRequest& request);
  bool poll(Request& request, bool thorough);
  void wait_longer(Request& request, Deadline deadline);
  void expire(const Request& request);
  // Nothing is thrown here: who waits is not the one who would catch it, and requests in the queue are others' memory. It
  // fails the group instead.
  void step_all(bool thorough) noexcept;
  void step_collectives() noexcept;
  void step_messages() noexcept;
  void look_around() noexcept;
  void look_for_departed();
  bool look_for_cut_links();
  void note_wait(Request& request);
  // Within a lock: a failure that is taken there is logged once no lock is held any more, as the log's sink may wait for a
  // thread that wants the lock.
  void take_failure(const Error& error, bool tell) noexcept;
  // With what has been thrown, and with the error that `make` makes; for want of memory, with that.
  void fail_by(const std::exception& thrown) noexcept;
  template <class Make>
  void fail_with(Make&& make) noexcept {
    try {
      take_failure(make(), true);
    } catch (const std::exception& thrown) {
      fail_by(thrown);
    }
  }
  // Takes over what another member has recorded as the group's failure, and deaths.
  void adopt_recorded_failure();
  void adopt_deaths();
  std::shared_ptr<const Error> known_failure();
  void log_failure() {
    if (is_unlogged_.load(std::memory_order_relaxed)) [[unlikely]] log_failure_now();
  }
  [[gnu::cold]] void log_failure_now() noexcept;
  struct LogAfter {  // stands before the locks
    explicit LogAfter(Communicator& communicator) : self(communicator) {}
    ~LogAfter() { self.log_failure(); }
    Communicator& self;
  };
  void check_usable(const GroupLabel& label);
  [[gnu::cold]] void refuse_unusable(const GroupLabel& label);  // if it is
  // Whether what failed operations lent is their callers' again: no member touches it, or none that goes on. `by`: until
  // when to wait, set by the first that does.
  bool is_given_back(const std::vector<int>& touching, Deadline& by) const;
  void finish(Request& request);
  void finish_failed(Request& request);
  void settle(Request& request, Request::State state);
  // Tells peers what this rank does, for their failures' texts.
  void record(const Request& request);
  // An asynchronous one.
  void started(Request& request);
  std::vector<int> awaited(const Request& request, std::vector<int> (Operation::*whom)() const = &Operation::awaited) const;
  Error timed_out(const Request& request);
  Error mismatch(const MismatchFound& found, const Signature& stepped, uint64_t number) const;
  Error died(int32_t global_rank) const;

  std::shared_ptr<World> world_;
  std::shared_ptr<Progress> progress_;
  const uint64_t serial_;
  const std::vector<int32_t> global_ranks_;
  const std::string asked_backend_;
  int rank_ = 0;
  int host_count_ = 1;
  std::unique_ptr<Plane> plane_;
  const bool enters_kernel_;
  const std::string why_no_plane_;

  Lock queue_lock_;
  Queue queue_;
  uint64_t sequence_ = 0;
  Deadline give_back_by_ = Deadline::never();

  Lock message_lock_;
  std::vector<MessageRequest*> exchanges_;
  Deadline give_back_messages_by_ = Deadline::never();

  std::mutex failure_mutex_;
  std::shared_ptr<const Error> failure_;
  std::shared_ptr<const Error> no_memory_;  // made before it is needed
  std::atomic<bool> failed_{false};
  std::atomic<bool> is_unlogged_{false};  // there is a failure that the log does not have yet

  std::atomic<int> waiters_{0};
  std::atomic<int64_t> unfinished_{0};  // asynchronous
  std::atomic<uint16_t> next_tag_{0};
};

}  // namespace ps
