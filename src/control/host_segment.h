// What the ranks of one world on one host share besides data: who lives, who left, who died first, whom to wake, and
// what each called last. One segment a context and host, made by the host's first rank.
#pragma once

#include <linux/futex.h>

#include <array>
#include <memory>
#include <span>
#include <string>

#include "control/doorbell.h"
#include "control/shared_memory.h"

namespace ps {

enum class Presence : uint32_t { kJoining = 0, kPresent = 1, kLeft = 2 };

// The last operation a rank started, for the texts of its peers. Written by one rank, read by all, torn reads possible
// and harmless: every field is an atomic of its own.
struct alignas(128) CallRecord {
  std::atomic<uint64_t> number{0};  // of the operation in its group's order
  std::array<std::atomic<uint64_t>, 2> signature{};
  std::array<std::atomic<uint64_t>, 4> group_name{};
  std::atomic<int64_t> started_ns{0};  // on the monotonic clock, which the processes of a host share; 0: none yet
  std::atomic<uint32_t> running{0};
};

struct RankLines {
  // The kernel's robust-futex list runs through here: at the death of the guardian thread that owns `life` it sets
  // FUTEX_OWNER_DIED and wakes one waiter. 0: not alive yet, or left in order.
  struct alignas(128) Life {
    robust_list link;
    std::atomic<uint32_t> word;
    std::atomic<Presence> presence;
    std::atomic<int32_t> pid;
  } life;
  Doorbell doorbell;
  struct alignas(128) Heart {
    std::atomic<uint32_t> beats;
    std::atomic<uint64_t> abandoned;  // the number of the latest layout whose groups this rank could not make
  } heart;
  CallRecord last_call;
};

class HostSegment {
 public:
  static size_t bytes(int local_size);
  // `memory` is zeroed where it is new.
  HostSegment(std::shared_ptr<SharedMemory> memory, int local_size, int local_index);

  int local_size() const { return local_size_; }
  int local_index() const { return local_index_; }
  RankLines& lines(int index) const { return lines_[index]; }
  RankLines& own() const { return lines_[local_index_]; }
  Doorbell& doorbell(int index) const { return lines_[index].doorbell; }

  // The death log: local indices in the order in which deaths were noticed, so that the first entry that concerns a group
  // is the cause and later ones are consequences.
  // False when it was there already.
  bool log_death(int index) const;
  // Calls visit(index) for each entry, oldest first, until it returns true.
  template <class Visit>
  void visit_deaths(Visit&& visit) const {
    for (int i = 0; i < local_size_; ++i) {
      const int32_t entry = deaths_[i].load(std::memory_order_seq_cst);
      if (entry == 0 || visit(entry - 1)) return;
    }
  }
  // A futex word that changes with every entry.
  std::atomic<uint32_t>& death_count() const { return *death_count_; }

  void ring_all() const {
    for (int i = 0; i < local_size_; ++i) lines_[i].doorbell.ring();
  }

 private:
  std::shared_ptr<SharedMemory> memory_;
  int local_size_;
  int local_index_;
  RankLines* lines_;
  std::atomic<uint32_t>* death_count_;
  std::atomic<int32_t>* deaths_;  // local index + 1; 0: free
};

}  // namespace ps
