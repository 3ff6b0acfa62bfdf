// The envelope of everything that travels between a store and its clients: a header of fixed layout, a body whose
// length is checked against a cap before a byte of it is read and, where the sides share a secret, a MAC.
//
//   offset 0  u32 magic    "PSst"
//          4  u16 version
//          6  u16 type
//          8  u32 epoch    the server's number for this life of the store; 0 in the handshake
//         12  u32 zero
//         16  u64 body     bytes that follow, without the MAC
//         24  u64 request  a reply carries its request's number
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ps {

inline constexpr uint32_t kFrameMagic = 0x74735350;
inline constexpr uint16_t kFrameVersion = 1;
inline constexpr size_t kFrameHeaderBytes = 32;

enum class FrameType : uint16_t {
  kHello = 1,
  kChallenge = 2,
  kProof = 3,
  kWelcome = 4,
  kRefusal = 5,

  kSet = 16,
  kGet = 17,
  kAdd = 18,
  kCompareAndSet = 19,
  kRemove = 20,
  kExchange = 21,
  kGiveUp = 22,  // ends the exchange that waits on this connection; has no reply

  kValue = 32,      // to get: the value
  kNumber = 33,     // to set, add, compare-and-set and remove
  kExchanged = 34,  // to exchange
  kError = 35,
  kGoodbye = 36,  // the store was closed in order; nothing follows

  kAttend = 48,  // these three on a rank's control connection alone, and nothing else there; none has a reply
  kBeat = 49,
  kNews = 50,
};

struct FrameHeader {
  FrameType type = FrameType::kHello;
  uint32_t epoch = 0;
  uint64_t body_bytes = 0;
  uint64_t request = 0;
};

enum class FrameFault { kNone, kShort, kMagic, kVersion, kType, kReserved, kTooLong };

struct ParsedHeader {
  FrameHeader header;
  FrameFault fault = FrameFault::kNone;
  uint16_t version = 0;  // what the sender speaks; known unless the fault is kShort or kMagic
};

// The longest body of a frame. Before authentication nothing is longer than 1 KiB; control frames end at 64 KiB, value
// carrying ones at 64 KiB more than their values may have, and the two of the exchange at what its own limits allow.
uint64_t frame_cap(FrameType type, bool authenticated, uint64_t max_value_bytes);

// Strict: any fault means that the connection is of no more use. Pure, so that it can be fuzzed.
ParsedHeader parse_frame_header(std::string_view bytes, bool authenticated, uint64_t max_value_bytes);

std::array<char, kFrameHeaderBytes> encode_frame_header(const FrameHeader& header);

}  // namespace ps
