#include "control/watch/watch.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.h"
#include "base/thread.h"
#include "control/watch/loss.h"

namespace ps {
namespace {

constexpr int64_t kMs = 1'000'000;
// From then on a silent store is doubted, and the beacons are asked beside it.
constexpr int64_t kDoubtMs = 1000;
constexpr int64_t kProbeMs = kLostMs - kDoubtMs + kBeatMs;
constexpr int64_t kKnockMs = kLostMs + kBeatMs;
// A stopped store does not read: see the hub.
constexpr int64_t kStoppedMs = 2000;
constexpr int64_t kSlowBeatMs = 10'000;
// A tick that comes so late means that this process was stopped or starved, and then silence proves nothing.
constexpr int64_t kLateMs = 1000;
constexpr int64_t kRedialMs = 1000;
constexpr int64_t kSendMs = 500;
constexpr int64_t kFarewellMs = 500;
constexpr size_t kMostAbandoned = 1024;  // remembered of a rank

bool is_by_peer(int error) { return error == 0 || error == ECONNRESET || error == EPIPE || error == EPROTO; }

}  // namespace

Watch::Watch(std::shared_ptr<HostSegment> segment, const Logger& logger, Dialer dialer, const Attendance& self,
             const std::string& address, std::vector<Neighbour> neighbours, Deadline deadline)
    : segment_(std::move(segment)),
      logger_(logger),
      dialer_(std::move(dialer)),
      self_(self),
      neighbours_(std::move(neighbours)),
      is_neighbour_(static_cast<size_t>(self.world_size), false),
      beacon_(address),
      doubts_(self.rank, self.world_size, neighbours_, [this](int32_t rank) { return knock(rank, kKnockMs); }),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      silent_since_ns_(static_cast<size_t>(self.world_size)) {
  if (!wake_) fail_errno("no event descriptor for the watch between hosts");
  self_.port = beacon_.port();
  for (const Neighbour& other : neighbours_) is_neighbour_[static_cast<size_t>(other.rank)] = true;
  attend(dialer_.dial(deadline));
  thread_ = start_thread("ps-watch", [this] { run(); });
}

void Watch::stop() {
  if (!thread_.joinable()) return;
  stop_.store(true);
  wake();
  thread_.join();
}

void Watch::wake() { ::eventfd_write(wake_.get(), 1); }

void Watch::tell_abandoned(uint64_t attempt) {
  {
    const std::lock_guard lock(mutex_);
    untold_abandoned_.push_back(attempt);
  }
  wake();
}

int64_t Watch::silent_ms(int32_t rank) const {
  const int64_t since = silent_since_ns_[static_cast<size_t>(rank)].load();
  return since == 0 ? 0 : std::max<int64_t>((monotonic_ns() - since) / kMs, 0);
}

bool Watch::has_abandoned(int32_t rank, uint64_t attempt) const {
  const std::lock_guard lock(mutex_);
  const auto found = abandoned_.find(rank);
  return found != abandoned_.end() && found->second.contains(attempt);
}

void Watch::run() {
  next_tick_ns_ = monotonic_ns();
  while (!stop_.load()) {
    tick(monotonic_ns());
    tell_news();
    hear();
    beacon_.serve();
    look_at_probes();
    look_at_doubts();
    wait();
  }
  say_goodbye();
}

void Watch::wait() {
  if (stop_.load()) return;
  std::vector<pollfd> polled = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  if (connection_) polled.push_back({.fd = connection_->descriptor(), .events = POLLIN, .revents = 0});
  beacon_.add_to(polled);
  for (const auto& [rank, probe] : probes_) probe.add_to(polled);
  doubts_.add_to(polled);
  const int64_t ms = (next_tick_ns_ - monotonic_ns() + kMs - 1) / kMs;
  ::poll(polled.data(), polled.size(), static_cast<int>(std::clamp<int64_t>(ms, 0, kBeatMs)));
  eventfd_t ignored;
  ::eventfd_read(wake_.get(), &ignored);
}

void Watch::attend(std::unique_ptr<Connection> connection) {
  connection_ = std::move(connection);
  rank0_serves_ = connection_->host().world;
  heard_ns_ = monotonic_ns();
  told_deaths_ = 0;
  doubts_.tell_again();
  send(FrameType::kAttend, encode_attendance(self_));
}

void Watch::tick(int64_t now_ns) {
  if (now_ns < next_tick_ns_) return;
  const bool is_late = now_ns - next_tick_ns_ >= kLateMs * kMs;
  if (is_late) heard_ns_ = now_ns;
  next_tick_ns_ = now_ns + kBeatMs * kMs;
  if (!connection_) return;
  doubts_.tick(now_ns, is_late);
  const int64_t silent_ms = store_silent_ms(now_ns);
  if (rank0_serves_ && is_neighbour_[0] && silent_ms >= kDoubtMs) silent_since_ns_[0].store(heard_ns_);
  if (silent_ms >= kDoubtMs) {
    start_probes();
  } else {
    probes_.clear();
  }
  if (silent_ms >= kStoppedMs && now_ns - beaten_ns_ < kSlowBeatMs * kMs) return;
  beaten_ns_ = now_ns;
  send(FrameType::kBeat, encode_beat({}));
}

void Watch::tell_news() {
  std::vector<Fact> facts;
  size_t deaths = 0;
  segment_->visit_deaths([&](int32_t rank) {
    const bool proven = !is_neighbour_[static_cast<size_t>(rank)] && segment_->loss(rank) == Loss::kEnded;
    if (++deaths > told_deaths_ && proven) facts.push_back({Fact::Kind::kLost, rank, static_cast<uint64_t>(Loss::kEnded)});
    return false;
  });
  told_deaths_ = deaths;
  {
    const std::lock_guard lock(mutex_);
    for (const uint64_t attempt : untold_abandoned_) facts.push_back({Fact::Kind::kAbandoned, self_.rank, attempt});
    untold_abandoned_.clear();
  }
  for (size_t i = 0; i < facts.size(); i += kMostFacts) {
    send(FrameType::kNews, encode_news(facts.data() + i, std::min(kMostFacts, facts.size() - i)));
  }
}

void Watch::send(FrameType type, const std::string& body) {
  if (!connection_) return;
  try {
    connection_->send(type, body, Deadline::in_ms(kSendMs));
  } catch (const StreamTimeout&) {
    lose(End::kCut);  // half a frame may have gone
  } catch (const StreamEnded&) {
    // What came before the end is read first; hear() finds the end behind it.
  }
}

void Watch::hear() {
  try {
    pollfd entry{};
    while (connection_) {
      entry = {.fd = connection_->descriptor(), .events = POLLIN, .revents = 0};
      if (::poll(&entry, 1, 0) <= 0) return;
      take(connection_->receive(Deadline::in_ms(kLostMs), nullptr));
    }
  } catch (const StreamEnded& ended) {
    lose(is_by_peer(ended.error) ? End::kByPeer : End::kCut);
  } catch (const StreamTimeout&) {
    lose(End::kCut);
  }
}

void Watch::take(const Frame& frame) {
  const int64_t now = monotonic_ns();
  heard_ns_ = now;
  if (frame.header.type == FrameType::kGoodbye) return lose(End::kInOrder);
  if (frame.header.type == FrameType::kNews) {
    const auto facts = parse_news(frame.body);
    if (!facts) throw StreamEnded{EPROTO};
    std::for_each(facts->begin(), facts->end(), [this](const Fact& fact) { apply(fact); });
    segment_->own().doorbell.ring();
    return;
  }
  const auto beat = frame.header.type == FrameType::kBeat ? parse_beat(frame.body) : std::nullopt;
  if (!beat) throw StreamEnded{EPROTO};
  std::map<int32_t, int64_t> silent;
  for (const Beat::Silent& entry : beat->silent) silent[entry.rank] = entry.ms;
  for (const Neighbour& other : neighbours_) {
    const auto found = silent.find(other.rank);
    silent_since_ns_[static_cast<size_t>(other.rank)].store(found == silent.end() ? 0 : now - found->second * kMs);
  }
}

void Watch::apply(const Fact& fact) {
  if (fact.rank >= self_.world_size) return;
  const bool is_neighbour = is_neighbour_[static_cast<size_t>(fact.rank)];
  switch (fact.kind) {
    case Fact::Kind::kPresent:
      if (is_neighbour) beacons_[fact.rank] = static_cast<uint16_t>(fact.value);
      return;
    case Fact::Kind::kLeft:
      if (is_neighbour) segment_->mark_left(fact.rank);
      return;
    case Fact::Kind::kAbandoned: {
      if (!is_neighbour) return;
      const std::lock_guard lock(mutex_);
      std::set<uint64_t>& attempts = abandoned_[fact.rank];
      attempts.insert(fact.value);
      if (attempts.size() > kMostAbandoned) attempts.erase(attempts.begin());
      return;
    }
    case Fact::Kind::kDoubted:
      if (is_neighbour) doubts_.hear(fact.rank, static_cast<Doubt>(fact.value), heard_ns_);
      return;
    case Fact::Kind::kLost: {
      const auto loss = static_cast<Loss>(fact.value);
      if (fact.rank == self_.rank) {
        segment_->log_death(fact.rank, Loss::kCutOff);
      } else if (is_neighbour || loss != Loss::kEnded) {
        segment_->log_death(fact.rank, loss);
      }
      return;
    }
  }
}

bool Watch::is_gone(int32_t rank) const { return segment_->loss(rank) != Loss::kNone || segment_->has_left(rank); }

void Watch::lose(End how) {
  if (!connection_) return;
  connection_.reset();
  if (how == End::kByPeer && !stop_.load()) {
    try {
      return attend(dialer_.try_once(Deadline::in_ms(kRedialMs)));
    } catch (const NotYet&) {
    } catch (const Error&) {
    }
  }
  alone_ = true;
  doubts_.clear();
  logger_.info("the control connection to the store {}; this rank watches the other hosts itself",
               how == End::kInOrder ? "was closed" : how == End::kCut ? "is cut" : "has ended");
  if (how != End::kInOrder && rank0_serves_ && is_neighbour_[0] && !is_gone(0)) {
    segment_->log_death(0, how == End::kCut ? Loss::kSilent : Loss::kClosed);
  }
  for (auto& since : silent_since_ns_) since.store(0);
  for (const Neighbour& other : neighbours_) {
    if (how == End::kInOrder || beacons_.contains(other.rank) || is_gone(other.rank)) continue;
    segment_->log_death(other.rank, how == End::kCut ? Loss::kSilent : Loss::kClosed);  // it can be watched no more
  }
  start_probes();
}

void Watch::start_probes() {
  for (const Neighbour& other : neighbours_) {
    if (probes_.contains(other.rank)) continue;
    if (auto probe = knock(other.rank, kProbeMs)) probes_.emplace(other.rank, std::move(*probe));
  }
}

std::optional<Probe> Watch::knock(int32_t rank, int64_t most_ms) const {
  const auto beacon = beacons_.find(rank);
  if (beacon == beacons_.end() || beacon->second == 0 || is_gone(rank)) return std::nullopt;
  const auto found = std::lower_bound(neighbours_.begin(), neighbours_.end(), rank,
                                      [](const Neighbour& other, int32_t number) { return other.rank < number; });
  try {
    return Probe(found->address, beacon->second, Deadline::in_ms(most_ms));
  } catch (const Error& error) {  // no descriptor is left, which says nothing about the rank
    logger_.warn("whether rank {} can be reached is not known: {}", rank, error.text());
    return std::nullopt;
  }
}

void Watch::look_at_probes() {
  for (auto& [rank, probe] : probes_) {
    const Probe::State state = probe.look();
    if (!alone_ || is_gone(rank)) continue;
    if (state == Probe::State::kLeft) segment_->mark_left(rank);
    if (state == Probe::State::kEnded) segment_->log_death(rank, Loss::kClosed);
    if (state == Probe::State::kCut) segment_->log_death(rank, Loss::kSilent);
    if (is_gone(rank)) segment_->own().doorbell.ring();
  }
}

void Watch::look_at_doubts() {
  if (!connection_) return;
  doubts_.look(monotonic_ns());
  const std::vector<Fact> changes = doubts_.take_changes();
  for (const Fact& change : changes) {
    const auto doubt = static_cast<Doubt>(change.value);
    logger_.info("rank {} on another host {}", change.rank,
                 doubt == Doubt::kNone  ? "is not doubted any more"
                 : doubt == Doubt::kCut ? "has not answered for 3 s"
                                        : "does not answer");
  }
  if (!changes.empty()) send(FrameType::kNews, encode_news(changes.data(), changes.size()));
}

// The store's end of the connection is awaited, so that the goodbye has arrived.
void Watch::say_goodbye() {
  beacon_.say_goodbye();
  if (!connection_) return;
  const Deadline deadline = Deadline::in_ms(kFarewellMs);
  try {
    tell_news();
    if (!connection_) return;
    const Fact left = {Fact::Kind::kLeft, self_.rank, 0};
    connection_->send(FrameType::kNews, encode_news(&left, 1), deadline);
    connection_->finish_sending();
    while (true) connection_->receive(deadline, nullptr);
  } catch (const StreamEnded&) {
  } catch (const StreamTimeout&) {
  }
  connection_.reset();
}

}  // namespace ps
