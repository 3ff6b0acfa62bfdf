// What the ranks of one world on one host share besides data: who they are, who lives, who left, who died first, whom to
// wake, and what each called last. One segment a context and host, made by the host's first rank.
#pragma once

#include <linux/futex.h>

#include <array>
#include <memory>
#include <string_view>

#include "control/attempts.h"
#include "control/copy_sample.h"
#include "control/doorbell.h"
#include "control/roster.h"
#include "control/shared_memory.h"
#include "control/watch/loss.h"

namespace ps {

enum class Presence : uint32_t { kJoining = 0, kPresent = 1, kLeft = 2 };

// The last operation a rank started, for the texts of its peers. Written by one rank, read by all, torn reads possible
// and harmless: every field is an atomic of its own.
struct alignas(128) CallRecord {
  using Name = std::array<uint64_t, 4>;
  std::atomic<uint64_t> number{0};  // of the operation in its group's order
  std::array<std::atomic<uint64_t>, 2> signature{};
  std::array<std::atomic<uint64_t>, std::tuple_size_v<Name>> group_name{};
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
  } heart;
  Attempts attempts;
  CallRecord last_call;
  // Each 0 or 1, and known to all ranks once they have agreed on something after joining.
  struct alignas(128) Reach {
    std::atomic<uint32_t> all;       // it can read and write the memory of every other rank of the host
    std::atomic<uint32_t> asked;     // and is to have that done whatever it costs
    std::atomic<uint32_t> too_slow;  // for all of the host, it has not found the kernel to be fast enough for it
  } reach;
  struct alignas(128) Claims {
    std::atomic<uint64_t> bytes;  // of memory, see MemoryClaim
    std::atomic<uint64_t> group;  // memory_group() of who takes them
  } claims;
};

// What this host knows of a rank of the world, on whatever host it is.
struct Standing {
  std::atomic<Loss> loss{Loss::kNone};
  std::atomic<uint32_t> left{0};  // of ranks on other hosts; of this host's, Presence tells
};

// Of a rank among those of its host, where many are kept.
using LocalIndex = uint16_t;

class HostSegment {
 public:
  // How many deaths | the ranks' lines | standings | the death log | the roster | the sample. `roster`: see RosterWriter.
  static size_t bytes(std::string_view roster, bool with_sample = false);
  // `memory` is zeroed where it is new; who makes it writes the roster, before anybody else sees it.
  HostSegment(std::shared_ptr<SharedMemory> memory, std::string_view roster, int local_index);
  void write_roster(std::string_view roster);

  const Roster& roster() const { return roster_; }
  int local_size() const { return local_size_; }
  int local_index() const { return local_index_; }
  RankLines& lines(int index) const { return lines_[index]; }
  RankLines& own() const { return lines_[local_index_]; }
  int32_t rank_of(int index) const { return roster_.rank_of(index); }
  Doorbell& doorbell(int index) const { return lines_[index].doorbell; }

  // The death log: ranks of the world in the order in which their deaths were noticed on this host, so that the first
  // entry that concerns a group is the cause and later ones are consequences.
  // False when it was there already; its first loss stands.
  bool log_death(int32_t rank, Loss loss) const;
  Loss loss(int32_t rank) const { return standings_[rank].loss.load(std::memory_order_seq_cst); }
  // Calls visit(rank) for each entry, oldest first, until it returns true.
  template <class Visit>
  void visit_deaths(Visit&& visit) const {
    for (int32_t i = 0; i < world_size_; ++i) {
      const int32_t entry = deaths_[i].load(std::memory_order_seq_cst);
      if (entry == 0 || visit(entry - 1)) return;
    }
  }
  // A futex word that changes with every entry.
  std::atomic<uint32_t>& death_count() const { return *death_count_; }

  // nullptr where the memory has no room for one.
  CopySample* sample() const { return sample_; }

  // Of ranks on other hosts.
  void mark_left(int32_t rank) const { standings_[rank].left.store(1, std::memory_order_seq_cst); }
  bool has_left(int32_t rank) const { return standings_[rank].left.load(std::memory_order_seq_cst) != 0; }

  void ring_all() const {
    for (int i = 0; i < local_size(); ++i) lines_[i].doorbell.ring();
  }

 private:
  std::shared_ptr<SharedMemory> memory_;
  int local_size_;
  int32_t world_size_;
  int local_index_;
  RankLines* lines_;
  std::atomic<uint32_t>* death_count_;
  std::atomic<int32_t>* deaths_;  // rank + 1; 0: free
  Standing* standings_;           // by rank
  Roster roster_;
  CopySample* sample_ = nullptr;
};

}  // namespace ps
