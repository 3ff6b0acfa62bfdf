// What travels on the control connections of a world that spans hosts: who attends, heartbeats, and facts about ranks.
// Parsers give nothing for anything but exactly one well-formed message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ps {

// A rank's first message on its control connection.
struct Attendance {
  uint64_t world = 0;  // the number of the world at this store
  int32_t world_size = 0;
  int32_t rank = 0;
  int32_t node = 0;
  uint16_t port = 0;  // of its beacon; 0: it has none

  bool operator==(const Attendance&) const = default;
};

struct Fact {
  enum class Kind : uint8_t {
    kPresent = 1,    // value: the port of its beacon
    kLeft = 2,       // by psFinalize
    kLost = 3,       // value: a Loss
    kAbandoned = 4,  // value: its attempt to make a group
    // value: a Doubt. To the hub: what the sender thinks of its way to the rank. From it, kSilent: what the rank thinks
    // of its way to the receiver; kCut: what both think; kNone: the rank has found its way again.
    kDoubted = 5,
  };
  Kind kind = Kind::kPresent;
  int32_t rank = 0;
  uint64_t value = 0;

  bool operator==(const Fact&) const = default;
};

// A heartbeat; the store's names the ranks whose own heartbeats it misses.
struct Beat {
  struct Silent {
    int32_t rank = 0;
    uint32_t ms = 0;

    bool operator==(const Silent&) const = default;
  };
  std::vector<Silent> silent;
};

inline constexpr size_t kMostFacts = 4096;   // in one frame
inline constexpr size_t kMostSilent = 4096;  // in one frame

std::string encode_attendance(const Attendance& attendance);
std::string encode_news(const Fact* facts, size_t count);
std::string encode_beat(const Beat& beat);

std::optional<Attendance> parse_attendance(std::string_view body);
std::optional<std::vector<Fact>> parse_news(std::string_view body);
std::optional<Beat> parse_beat(std::string_view body);

}  // namespace ps
