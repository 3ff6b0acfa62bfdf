#include "control/watch/news.h"

#include <algorithm>

#include "base/bytes.h"
#include "control/watch/loss.h"

namespace ps {
namespace {

constexpr size_t kFactBytes = 13;
constexpr size_t kSilentBytes = 8;
constexpr int32_t kMostRanks = 1 << 20;

bool is_well_formed(const Fact& fact) {
  if (fact.rank < 0 || fact.rank >= kMostRanks) return false;
  switch (fact.kind) {
    case Fact::Kind::kPresent: return fact.value <= 0xffff;
    case Fact::Kind::kLeft: return fact.value == 0;
    case Fact::Kind::kLost: return fact.value > 0 && fact.value <= kMostLoss;
    case Fact::Kind::kAbandoned: return true;
    case Fact::Kind::kDoubted: return fact.value <= kMostDoubt;
  }
  return false;
}

}  // namespace

std::string encode_attendance(const Attendance& attendance) {
  ByteWriter writer;
  writer.integer(attendance.world);
  writer.integer(attendance.world_size);
  writer.integer(attendance.rank);
  writer.integer(attendance.node);
  writer.integer(attendance.port);
  return writer.take();
}

std::optional<Attendance> parse_attendance(std::string_view body) {
  ByteReader reader(body);
  Attendance attendance;
  attendance.world = reader.integer<uint64_t>();
  attendance.world_size = reader.integer<int32_t>();
  attendance.rank = reader.integer<int32_t>();
  attendance.node = reader.integer<int32_t>();
  attendance.port = reader.integer<uint16_t>();
  const bool fits = attendance.world_size > 0 && attendance.world_size <= kMostRanks && attendance.rank >= 0 &&
                    attendance.rank < attendance.world_size && attendance.node >= 0 &&
                    attendance.node < attendance.world_size;
  if (!reader.complete() || !fits) return std::nullopt;
  return attendance;
}

std::string encode_news(const Fact* facts, size_t count) {
  ByteWriter writer;
  writer.integer(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; ++i) {
    writer.integer(static_cast<uint8_t>(facts[i].kind));
    writer.integer(facts[i].rank);
    writer.integer(facts[i].value);
  }
  return writer.take();
}

std::optional<std::vector<Fact>> parse_news(std::string_view body) {
  ByteReader reader(body);
  const auto count = reader.integer<uint32_t>();
  if (count > kMostFacts || reader.left() != count * kFactBytes) return std::nullopt;
  std::vector<Fact> facts(count);
  for (Fact& fact : facts) {
    fact.kind = static_cast<Fact::Kind>(reader.integer<uint8_t>());
    fact.rank = reader.integer<int32_t>();
    fact.value = reader.integer<uint64_t>();
    if (!is_well_formed(fact)) return std::nullopt;
  }
  if (!reader.complete()) return std::nullopt;
  return facts;
}

std::string encode_beat(const Beat& beat) {
  ByteWriter writer;
  const size_t count = std::min(beat.silent.size(), kMostSilent);
  writer.integer(static_cast<uint32_t>(count));
  for (size_t i = 0; i < count; ++i) {
    writer.integer(beat.silent[i].rank);
    writer.integer(beat.silent[i].ms);
  }
  return writer.take();
}

std::optional<Beat> parse_beat(std::string_view body) {
  ByteReader reader(body);
  const auto count = reader.integer<uint32_t>();
  if (count > kMostSilent || reader.left() != count * kSilentBytes) return std::nullopt;
  Beat beat;
  beat.silent.resize(count);
  for (Beat::Silent& silent : beat.silent) {
    silent.rank = reader.integer<int32_t>();
    silent.ms = reader.integer<uint32_t>();
    if (silent.rank < 0 || silent.rank >= kMostRanks) return std::nullopt;
  }
  if (!reader.complete()) return std::nullopt;
  return beat;
}

}  // namespace ps
