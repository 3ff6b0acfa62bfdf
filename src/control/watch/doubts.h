// Whether this rank reaches the ranks on other hosts that it waits for, while the store hears both: the link between two
// hosts can be cut although each reaches the store's.
//
// Only a rank on which an operation here has depended for a while is asked about, by its beacon, whose host's kernel
// answers whatever the process does. One that does not answer is doubted, and the store's hub then has it try the way back. The
// link is cut when neither reaches the other: one alone may be refused by a firewall that lets data through, or knock at
// a process that has been stopped for long.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/watch/beacon.h"
#include "control/watch/loss.h"
#include "control/watch/news.h"

namespace ps {

// A rank on another host.
struct Neighbour {
  int32_t rank = 0;
  std::string address;
};

class Doubts {
 public:
  // Begins a connection to a rank's beacon. nullopt: there is none, or the rank is gone.
  using Knock = std::function<std::optional<Probe>(int32_t rank)>;
  Doubts(int32_t self, int32_t world_size, const std::vector<Neighbour>& neighbours, Knock knock);

  // Any thread. An operation has waited for long now, and that rank may be why.
  void note_awaited(int32_t rank) { states_[static_cast<size_t>(rank)].awaited.store(true, std::memory_order_relaxed); }
  // Neither end of the link to the rank reaches the other, as far as is known now.
  bool is_cut_off(int32_t rank) const { return states_[static_cast<size_t>(rank)].cut_off.load(); }
  bool any_cut_off() const { return cut_off_count_.load() > 0; }

  // All of the watch's thread, none of which blocks. Every kBeatMs. `is_late`: so late that silence proves nothing.
  void tick(int64_t now_ns, bool is_late);
  // Sees who has answered.
  void look(int64_t now_ns);
  void add_to(std::vector<pollfd>& polled) const;
  // What the hub has not been told yet.
  std::vector<Fact> take_changes() { return std::exchange(changes_, {}); }
  // The hub knows nothing any more.
  void tell_again();
  // From the hub. kSilent: the rank misses this one. kCut: so do both. kNone: the rank has found this one.
  void hear(int32_t rank, Doubt doubt, int64_t now_ns);
  void clear();

 private:
  struct State {
    std::atomic<bool> awaited{false};
    std::atomic<bool> cut_off{false};
  };
  struct Inquiry {
    Probe probe;
    Probe::State state = Probe::State::kTrying;
    int64_t heard_ns = 0;  // when it last answered, or was first asked
    int64_t begun_ns = 0;
    int64_t asked_ns = 0;  // when the hub last asked for it; 0: never
    Doubt told = Doubt::kNone;
  };
  using Inquiries = std::map<int32_t, Inquiry>;

  void take_awaited();
  void renew(int64_t now_ns);
  void start_inquiries(int64_t now_ns);
  bool is_wanted(int32_t rank, const Inquiry& inquiry, int64_t now_ns) const;
  void tell(int32_t rank, Inquiry& inquiry, Doubt doubt);
  Inquiries::iterator drop(Inquiries::iterator inquiry);
  void set_cut_off(int32_t rank, bool is);

  const std::vector<Neighbour>& neighbours_;
  const Knock knock_;
  std::vector<State> states_;         // by rank
  std::atomic<int> cut_off_count_{0};
  std::vector<uint8_t> awaited_;      // by rank: for how many ticks more it counts as awaited
  std::vector<int32_t> hosts_;        // by rank: a number for its address
  std::vector<int32_t> order_;        // in which ranks are asked about
  size_t next_ = 0;                   // of these, to begin with
  Inquiries inquiries_;
  std::vector<Fact> changes_;
};

}  // namespace ps
