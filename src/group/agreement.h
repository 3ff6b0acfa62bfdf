// What every making of groups does: agree in one exchange at the store, then share one piece of memory on a host.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/world.h"
#include "host/signature.h"

namespace ps {

// This rank's attempt to make a group, abandoned unless it succeeds.
class Attempt {
 public:
  explicit Attempt(const World& world) : world_(world), number_(world.begin_attempt()) {}
  ~Attempt() {
    if (!succeeded_) world_.abandon_attempt(number_, follows_);
  }
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  uint64_t number() const { return number_; }
  void succeeded() { succeeded_ = true; }

  // Throws PEER_FAILED when one of `ranks` has abandoned its attempt; `doing` begins the text.
  void check(const std::vector<int32_t>& ranks, const AttemptNumbers& attempts, const std::string& doing);

 private:
  const World& world_;
  const uint64_t number_;
  bool succeeded_ = false;
  bool follows_ = false;
};

// While members gather: throws PEER_FAILED when one of `ranks` is dead, or has left and so will not come. Who left after
// all had come is no reason: the result is on its way, and has a second for that.
StopCheck check_gathering(const World& world, const std::vector<int32_t>& ranks, std::string doing);
// When they have agreed: only deaths count. Who leaves now has made its part.
StopCheck check_making(const World& world, const std::vector<int32_t>& ranks, std::string doing);

// One exchange over `members`, of whom this rank is one. While it lasts, others are told that this rank is in a call of
// this kind on `label`; record_return ends that when the groups are made.
Exchanged agree(const World& world, Kind kind, const std::string& label, std::string scope,
                std::vector<int32_t> members, std::string blob, Deadline deadline, const StopCheck& check);

// Memory that members of one host share.
struct SharedNeed {
  const char* name;   // as in /proc/PID/maps
  size_t bytes = 0;   // of addresses
  size_t pages = 0;   // bytes that collectives will touch sooner or later
  std::string owner;  // "group 'world' of 4 ranks", for errors
};

// The first of `size` members of this host makes the memory and gives it to the others, who take it by its ticket. Errors:
// NO_MEMORY on all of them where the pages cannot be had.
std::shared_ptr<SharedMemory> hand_over(const World& world, Offer& offer, bool is_first, std::string_view ticket,
                                        int size, const SharedNeed& need, Deadline deadline, const StopCheck& check);

}  // namespace ps
