#include "control/watch/doubts.h"

#include <algorithm>
#include <set>

namespace ps {
namespace {

constexpr int64_t kMs = 1'000'000;
// Whoever waits looks around a few times a second, and later on a busy machine.
constexpr uint8_t kAwaitedTicks = 4;
// From then on a rank that does not answer is doubted.
constexpr int64_t kDoubtMs = 500;
// A kernel begins a connection anew after 1 s and after 3 s; the last beginning has time for its answer.
constexpr int64_t kCutMs = kLostMs + kBeatMs;
// How long one that was just asked speaks for its host, before it has answered.
constexpr int64_t kTurnMs = 1000;
// How long the way to a rank that misses this one is tried: until both have told the hub.
constexpr int64_t kAskedMs = 10'000;
// So many connections at a time for what a rank waits for. Those that have stood for a while make room.
constexpr size_t kMostInquiries = 64;
constexpr int64_t kStandsMs = 10'000;
// And for what misses it besides. More than one that is told of a cut is not needed by any group.
constexpr size_t kMostConnections = 256;

}  // namespace

Doubts::Doubts(int32_t self, int32_t world_size, const std::vector<Neighbour>& neighbours, Knock knock)
    : neighbours_(neighbours),
      knock_(std::move(knock)),
      states_(static_cast<size_t>(world_size)),
      awaited_(static_cast<size_t>(world_size)),
      hosts_(static_cast<size_t>(world_size), -1) {
  std::map<std::string, std::vector<int32_t>> by_address;
  for (const Neighbour& other : neighbours_) by_address[other.address].push_back(other.rank);
  int32_t host = 0;
  for (auto& [address, ranks] : by_address) {
    for (const int32_t rank : ranks) hosts_[static_cast<size_t>(rank)] = host;
    ++host;
    // Not all of a host ask the same rank of another.
    std::rotate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(self) % ranks.size()), ranks.end());
    order_.insert(order_.end(), ranks.begin(), ranks.end());
  }
}

void Doubts::tick(int64_t now_ns, bool is_late) {
  for (auto& [rank, inquiry] : inquiries_) {
    if (is_late) inquiry.heard_ns = now_ns;
  }
  take_awaited();
  renew(now_ns);
  start_inquiries(now_ns);
}

void Doubts::take_awaited() {
  for (const Neighbour& other : neighbours_) {
    std::atomic<bool>& awaited = states_[static_cast<size_t>(other.rank)].awaited;
    const bool is = awaited.load(std::memory_order_relaxed);
    if (is) awaited.store(false, std::memory_order_relaxed);
    uint8_t& ticks = awaited_[static_cast<size_t>(other.rank)];
    ticks = is ? kAwaitedTicks : static_cast<uint8_t>(std::max(ticks - 1, 0));
  }
}

// What is cut off is tried until it is there again, so that groups made then are not refused.
bool Doubts::is_wanted(int32_t rank, const Inquiry& inquiry, int64_t now_ns) const {
  const bool is_asked = inquiry.asked_ns != 0 && now_ns - inquiry.asked_ns < kAskedMs * kMs;
  return is_asked || is_cut_off(rank) || awaited_[static_cast<size_t>(rank)] > 0;
}

void Doubts::renew(int64_t now_ns) {
  for (auto each = inquiries_.begin(); each != inquiries_.end();) {
    auto& [rank, inquiry] = *each;
    bool goes_on = is_wanted(rank, inquiry, now_ns);
    if (goes_on && inquiry.state == Probe::State::kCut) {
      auto probe = knock_(rank);
      goes_on = probe.has_value();
      if (probe) inquiry.probe = std::move(*probe);
    }
    each = goes_on ? std::next(each) : drop(each);
  }
}

void Doubts::start_inquiries(int64_t now_ns) {
  // One that has answered speaks for its host, and so may one that has just been asked.
  std::set<int32_t> asked;
  for (const auto& [rank, inquiry] : inquiries_) {
    const bool speaks = inquiry.state == Probe::State::kStands || now_ns - inquiry.heard_ns < kTurnMs * kMs;
    if (speaks) asked.insert(hosts_[static_cast<size_t>(rank)]);
  }
  for (size_t i = 0; i < order_.size(); ++i) {
    const size_t at = (next_ + i) % order_.size();
    const int32_t rank = order_[at];
    if (awaited_[static_cast<size_t>(rank)] == 0 || inquiries_.contains(rank)) continue;
    if (asked.contains(hosts_[static_cast<size_t>(rank)])) continue;
    if (inquiries_.size() >= kMostInquiries) {
      next_ = at;
      std::erase_if(inquiries_, [now_ns](const auto& entry) {
        return entry.second.state == Probe::State::kStands && now_ns - entry.second.begun_ns >= kStandsMs * kMs;
      });
      return;
    }
    auto probe = knock_(rank);
    if (!probe) continue;
    asked.insert(hosts_[static_cast<size_t>(rank)]);
    inquiries_.emplace(rank, Inquiry{.probe = std::move(*probe), .heard_ns = now_ns, .begun_ns = now_ns});
  }
}

void Doubts::look(int64_t now_ns) {
  for (auto each = inquiries_.begin(); each != inquiries_.end();) {
    auto& [rank, inquiry] = *each;
    const Probe::State before = inquiry.state;
    inquiry.state = inquiry.probe.look();
    // Its host answers; what its process does is told by others.
    if (inquiry.state == Probe::State::kEnded || inquiry.state == Probe::State::kLeft) {
      each = drop(each);
      continue;
    }
    const bool stands = inquiry.state == Probe::State::kStands;
    if (stands) inquiry.heard_ns = now_ns;
    // The kernel has waited that long before it gave the connection up.
    if (before == Probe::State::kStands && !stands) inquiry.heard_ns = now_ns - kLostMs * kMs;
    const int64_t silent_ms = (now_ns - inquiry.heard_ns) / kMs;
    tell(rank, inquiry, silent_ms >= kCutMs ? Doubt::kCut : silent_ms >= kDoubtMs ? Doubt::kSilent : Doubt::kNone);
    ++each;
  }
}

void Doubts::add_to(std::vector<pollfd>& polled) const {
  for (const auto& [rank, inquiry] : inquiries_) inquiry.probe.add_to(polled);
}

void Doubts::tell_again() {
  for (auto& [rank, inquiry] : inquiries_) inquiry.told = Doubt::kNone;
}

void Doubts::hear(int32_t rank, Doubt doubt, int64_t now_ns) {
  auto found = inquiries_.find(rank);
  if (doubt == Doubt::kNone) return set_cut_off(rank, false);
  if (doubt == Doubt::kCut) {
    // It may have answered since this rank said that it does not.
    if (found != inquiries_.end() && found->second.told == Doubt::kCut) set_cut_off(rank, true);
    return;
  }
  if (found == inquiries_.end()) {
    auto probe = inquiries_.size() < kMostConnections ? knock_(rank) : std::nullopt;
    if (!probe) return;
    found = inquiries_.emplace(rank, Inquiry{.probe = std::move(*probe), .heard_ns = now_ns, .begun_ns = now_ns}).first;
  }
  found->second.asked_ns = now_ns;
}

void Doubts::clear() {
  while (!inquiries_.empty()) drop(inquiries_.begin());
  changes_.clear();
}

void Doubts::tell(int32_t rank, Inquiry& inquiry, Doubt doubt) {
  if (doubt == Doubt::kNone) set_cut_off(rank, false);
  if (doubt == inquiry.told) return;
  inquiry.told = doubt;
  changes_.push_back({Fact::Kind::kDoubted, rank, static_cast<uint64_t>(doubt)});
}

Doubts::Inquiries::iterator Doubts::drop(Inquiries::iterator inquiry) {
  tell(inquiry->first, inquiry->second, Doubt::kNone);
  return inquiries_.erase(inquiry);
}

void Doubts::set_cut_off(int32_t rank, bool is) {
  if (states_[static_cast<size_t>(rank)].cut_off.exchange(is) != is) cut_off_count_.fetch_add(is ? 1 : -1);
}

}  // namespace ps
