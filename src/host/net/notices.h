// What members tell each other beside data: the group's first failure, that a group is freed, that a rank leaves. In the
// lane of notices where there is one, which has room whatever the data waits for; at the store for those that this rank
// is not connected to, whose watcher looks there as long as anybody in the group can reach it in no other way. Where a
// failure has to go that way, those who hear of it by a lane also pass it on by theirs: there may be no store any more.
// Every function may be called by any thread.
#pragma once

#include <optional>

#include "base/error.h"
#include "host/net/links.h"

namespace ps {

class Notices {
 public:
  explicit Notices(Links& links);

  void record_failure(const Error& error);
  std::optional<Error> failure();
  void mark_freed(uint16_t tag);
  bool has_freed(int member, uint16_t tag);
  // Says that nothing will come from this rank any more.
  void say_goodbye();
  bool has_said_goodbye(int member);
  // Whether the peer has been heard, so that what is sent to it arrives.
  bool is_heard(int member) const { return heard_[static_cast<size_t>(member)].load(); }

  // Greets a peer whose link was opened.
  void greet(int peer);
  // Takes in what has come, and says what there was no room for.
  void look();
  // Whether a member may have something to say that it can only leave at the store.
  bool needs_store();
  // Looks at the store, however long that takes, for what such members have left there. True: something new.
  bool look_at_store();
  // Learns from the store whether the group has failed. For when a member is gone that could not say why: what it knew
  // of a failure it has left there before.
  void look_for_failure();
  // Whether this rank's failure still has to be left at the store, which said nothing, or for members lost since.
  bool is_failure_untold();
  // Leaves it there, however long that takes.
  void leave_untold();
  // At the end: leaves what peers that never connected have not been told.
  void leave_at_store();

 private:
  void take_in();
  void take_in(int peer, const LaneHeader& header, const std::byte* payload);
  // Says what the peer has not been told yet, as far as its lane has room. The rest goes with the next look.
  void tell(int peer);
  // The same to all that this rank is linked to.
  void tell_all();
  // Whether each hears what the other says by their lane, or has heard the last of it.
  bool is_reached(int member) const;
  bool are_all_reached() const;
  // Of those that are linked.
  std::vector<int> unheard() const;
  std::optional<Error> failure_at_store(const StopCheck& patience) const;
  void take_failure_of_store(std::optional<Error> found);
  // For those that are not reached, and rings them.
  void leave_failure(const StopCheck& patience);
  std::vector<int> to_be_told_by_store() const;
  void leave_freed(const std::vector<int>& peers, uint64_t freed, const StopCheck& patience) const;
  StopCheck patience_ms(int64_t ms) const { return links_.transport().peers().patience(Deadline::in_ms(ms)); }

  Links& links_;
  std::mutex mutex_;  // of the lanes' receiving side and what is below
  std::optional<Error> failure_;
  uint64_t own_freed_ = 0;
  bool leaving_ = false;
  bool looked_for_failure_ = false;
  bool failure_is_at_store_ = false;
  struct Told {
    bool hello = false;
    bool failure = false;
    bool failure_by_store = false;
    uint64_t freed = 0;
    bool goodbye = false;
  };
  std::vector<Told> told_;
  bool failure_is_own_ = false;         // so that it is for this rank to tell at once
  bool failure_is_to_pass_on_ = false;  // so it is to everybody who hears of it
  std::vector<uint64_t> freed_;
  std::vector<bool> goodbyes_;
  std::vector<std::atomic<bool>> heard_;
};

}  // namespace ps
