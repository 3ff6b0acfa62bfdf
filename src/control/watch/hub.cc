#include "control/watch/hub.h"

#include <algorithm>

namespace ps {
namespace {

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kBeatsMissedMs = 1000;  // from then on a rank is called silent
// How long a mate that lives needs at most to report a death.
constexpr int64_t kWitnessMs = 1000;
// A stopped process does not read; what it is sent in vain must not fill its connection, which would look like a cut.
constexpr int64_t kStoppedMs = 2000;
constexpr int64_t kSlowBeatMs = 10'000;
constexpr int64_t kForgetMs = 60'000;

void send(Attendee& attendee, const std::vector<Fact>& facts, size_t first) {
  for (size_t i = first; i < facts.size(); i += kMostFacts) {
    attendee.tell(FrameType::kNews, encode_news(facts.data() + i, std::min(kMostFacts, facts.size() - i)));
  }
}

}  // namespace

bool WatchHub::attend(Attendee& attendee, const Attendance& attendance, int64_t now_ns) {
  if (seats_.contains(&attendee)) return false;
  Room& room = rooms_[attendance.world];
  if (room.world_size == 0) room.world_size = attendance.world_size;
  if (room.world_size != attendance.world_size) return false;
  Place& place = room.places[attendance.rank];
  if (place.attendee != nullptr) seats_.erase(place.attendee);  // it came again before its first connection's end was seen
  const bool is_new = place.heard_ns == 0;
  place.attendee = &attendee;
  place.node = attendance.node;
  place.heard_ns = now_ns;
  place.ended_ns = 0;
  place.told = 0;
  forget_doubts(room, attendance.rank);
  // What its last connection may have taken with it.
  place.asides.clear();
  for (const auto& [way, doubt] : room.doubts) {
    if (way.second != attendance.rank) continue;
    place.asides.push_back({Fact::Kind::kDoubted, way.first, static_cast<uint64_t>(Doubt::kSilent)});
  }
  seats_[&attendee] = {attendance.world, attendance.rank};
  if (is_new) room.facts.push_back({Fact::Kind::kPresent, attendance.rank, attendance.port});
  // All learn of all at once, when the last has come; whoever comes later or again, at once of what it has missed.
  if (is_new && ++room.came < room.world_size && !room.is_told) return true;
  room.is_told = true;
  has_news_ = true;
  return true;
}

bool WatchHub::believes(const Room& room, const Seat& seat, const Fact& fact) const {
  switch (fact.kind) {
    case Fact::Kind::kLeft:
    case Fact::Kind::kAbandoned: return fact.rank == seat.rank;
    case Fact::Kind::kLost: {
      // Of its own host alone a rank knows more than a connection tells. A mate may have died before it came here.
      const auto place = room.places.find(fact.rank);
      return fact.value == static_cast<uint64_t>(Loss::kEnded) && fact.rank < room.world_size &&
             (place == room.places.end() || place->second.node == room.places.at(seat.rank).node);
    }
    case Fact::Kind::kDoubted: {
      const auto place = room.places.find(fact.rank);
      return place != room.places.end() && place->second.node != room.places.at(seat.rank).node;
    }
    default: return false;
  }
}

bool WatchHub::hear(Attendee& attendee, const std::vector<Fact>& facts, int64_t now_ns) {
  if (!beat(attendee, now_ns)) return false;
  const Seat seat = seats_.at(&attendee);
  Room& room = rooms_.at(seat.world);
  for (const Fact& fact : facts) {
    if (!believes(room, seat, fact)) return false;
    if (fact.kind == Fact::Kind::kDoubted) {
      compare_doubts(room, seat.rank, fact);
      continue;
    }
    room.places.try_emplace(fact.rank, Place{.node = room.places.at(seat.rank).node});
    record(room, fact);
  }
  return true;
}

bool WatchHub::beat(Attendee& attendee, int64_t now_ns) {
  const auto seat = seats_.find(&attendee);
  if (seat == seats_.end()) return false;
  rooms_.at(seat->second.world).places.at(seat->second.rank).heard_ns = now_ns;
  return true;
}

void WatchHub::end(Attendee& attendee, bool timed_out, int64_t now_ns) {
  const auto found = seats_.find(&attendee);
  if (found == seats_.end()) return;
  const Seat seat = found->second;
  seats_.erase(found);
  Room& room = rooms_.at(seat.world);
  Place& place = room.places.at(seat.rank);
  place.attendee = nullptr;
  if (place.gone) return;
  if (timed_out) {
    record(room, {Fact::Kind::kLost, seat.rank, static_cast<uint64_t>(Loss::kSilent)});
  } else {
    place.ended_ns = now_ns;
  }
}

void WatchHub::record(Room& room, const Fact& fact) {
  if (fact.kind != Fact::Kind::kAbandoned) {
    Place& place = room.places[fact.rank];
    if (place.gone) return;
    place.gone = true;
    place.ended_ns = 0;
    forget_doubts(room, fact.rank);
  }
  room.facts.push_back(fact);
  has_news_ = true;
}

void WatchHub::compare_doubts(Room& room, int32_t from, const Fact& fact) {
  const auto doubt = static_cast<Doubt>(fact.value);
  if (room.places.at(fact.rank).gone) return;
  if (doubt == Doubt::kNone) {
    if (room.doubts.erase({from, fact.rank}) > 0) tell_aside(room, fact.rank, {Fact::Kind::kDoubted, from, fact.value});
    return;
  }
  const bool is_new = room.doubts.insert_or_assign({from, fact.rank}, doubt).second;
  const auto back = room.doubts.find({fact.rank, from});
  if (is_new) tell_aside(room, fact.rank, {Fact::Kind::kDoubted, from, static_cast<uint64_t>(Doubt::kSilent)});
  if (doubt != Doubt::kCut || back == room.doubts.end() || back->second != Doubt::kCut) return;
  tell_aside(room, from, {Fact::Kind::kDoubted, fact.rank, static_cast<uint64_t>(Doubt::kCut)});
  tell_aside(room, fact.rank, {Fact::Kind::kDoubted, from, static_cast<uint64_t>(Doubt::kCut)});
}

void WatchHub::tell_aside(Room& room, int32_t rank, const Fact& fact) {
  Place& place = room.places.at(rank);
  if (place.attendee == nullptr) return;
  place.asides.push_back(fact);
  has_news_ = true;
}

// Of its ways, as it tells them again when it comes again; those to it stay, as their ranks tell of changes alone.
void WatchHub::forget_doubts(Room& room, int32_t rank) {
  std::erase_if(room.doubts, [rank](const auto& entry) { return entry.first.first == rank; });
}

void WatchHub::settle_hints(Room& room, int64_t now_ns) {
  // In the order in which they ended: the first is the cause.
  std::vector<int32_t> ended;
  for (const auto& [rank, place] : room.places) {
    if (place.ended_ns != 0 && now_ns - place.ended_ns >= kWitnessMs * kMs) ended.push_back(rank);
  }
  std::sort(ended.begin(), ended.end(),
            [&](int32_t a, int32_t b) { return room.places.at(a).ended_ns < room.places.at(b).ended_ns; });
  for (const int32_t rank : ended) {
    Place& place = room.places.at(rank);
    bool has_mate = false;
    bool has_witness = false;
    for (const auto& [other, mate] : room.places) {
      if (other == rank || mate.node != place.node || mate.attendee == nullptr) continue;
      has_mate = true;
      has_witness = has_witness || mate.heard_ns - place.ended_ns >= kWitnessMs * kMs;
    }
    if (has_witness) {
      place.ended_ns = 0;
    } else if (!has_mate || now_ns - place.ended_ns >= kLostMs * kMs) {
      record(room, {Fact::Kind::kLost, rank, static_cast<uint64_t>(Loss::kClosed)});
    }
  }
}

void WatchHub::send_beats(Room& room, int64_t now_ns) {
  Beat beat;
  for (const auto& [rank, place] : room.places) {
    const int64_t silent_ms = (now_ns - place.heard_ns) / kMs;
    if (place.gone || place.heard_ns == 0 || silent_ms < kBeatsMissedMs) continue;
    beat.silent.push_back({rank, static_cast<uint32_t>(std::min<int64_t>(silent_ms, UINT32_MAX))});
  }
  const std::string body = encode_beat(beat);
  for (auto& [rank, place] : room.places) {
    if (place.attendee == nullptr) continue;
    const bool is_stopped = now_ns - place.heard_ns >= kStoppedMs * kMs;
    if (is_stopped && now_ns - place.beaten_ns < kSlowBeatMs * kMs) continue;
    place.beaten_ns = now_ns;
    place.attendee->tell(FrameType::kBeat, body);
  }
}

void WatchHub::tick(int64_t now_ns) {
  for (auto room = rooms_.begin(); room != rooms_.end();) {
    settle_hints(room->second, now_ns);
    send_beats(room->second, now_ns);
    const bool is_empty = std::none_of(room->second.places.begin(), room->second.places.end(),
                                       [](const auto& entry) { return entry.second.attendee != nullptr; });
    if (!is_empty) room->second.empty_ns = now_ns;
    const bool is_over = is_empty && now_ns - room->second.empty_ns >= kForgetMs * kMs;
    room = is_over ? rooms_.erase(room) : std::next(room);
  }
  flush();
}

void WatchHub::flush() {
  has_news_ = false;
  for (auto& [world, room] : rooms_) {
    for (auto& [rank, place] : room.places) {
      if (place.attendee == nullptr) continue;
      send(*place.attendee, room.facts, place.told);
      place.told = room.facts.size();
      send(*place.attendee, place.asides, 0);
      place.asides.clear();
    }
  }
}

}  // namespace ps
