#include "control/store/frame.h"

#include <algorithm>

#include "base/bytes.h"
#include "control/store/message.h"

namespace ps {
namespace {

constexpr uint64_t kUnauthenticatedCap = 1024;
constexpr uint64_t kControlCap = 64 << 10;

bool is_handshake(FrameType type) { return type >= FrameType::kHello && type <= FrameType::kRefusal; }

bool is_known(FrameType type) {
  return is_handshake(type) || (type >= FrameType::kSet && type <= FrameType::kGiveUp) ||
         (type >= FrameType::kValue && type <= FrameType::kGoodbye) ||
         (type >= FrameType::kAttend && type <= FrameType::kNews);
}

}  // namespace

uint64_t frame_cap(FrameType type, bool authenticated, uint64_t max_value_bytes) {
  if (!authenticated) return kUnauthenticatedCap;
  switch (type) {
    case FrameType::kCompareAndSet: return 2 * max_value_bytes + kControlCap;
    case FrameType::kSet:
    case FrameType::kValue: return max_value_bytes + kControlCap;
    case FrameType::kExchange: return kLongestExchangeRequest;
    case FrameType::kExchanged: return kLongestExchanged;
    default: return kControlCap;
  }
}

ParsedHeader parse_frame_header(std::string_view bytes, bool authenticated, uint64_t max_value_bytes) {
  ParsedHeader parsed;
  ByteReader reader(bytes.substr(0, kFrameHeaderBytes));
  const auto refuse = [&](FrameFault fault) {
    parsed.fault = fault;
    return parsed;
  };
  if (bytes.size() < kFrameHeaderBytes) return refuse(FrameFault::kShort);
  if (reader.integer<uint32_t>() != kFrameMagic) return refuse(FrameFault::kMagic);
  parsed.version = reader.integer<uint16_t>();
  if (parsed.version != kFrameVersion) return refuse(FrameFault::kVersion);
  FrameHeader& header = parsed.header;
  header.type = static_cast<FrameType>(reader.integer<uint16_t>());
  header.epoch = reader.integer<uint32_t>();
  const auto reserved = reader.integer<uint32_t>();
  header.body_bytes = reader.integer<uint64_t>();
  header.request = reader.integer<uint64_t>();
  if (!is_known(header.type) || is_handshake(header.type) == authenticated) return refuse(FrameFault::kType);
  if (reserved != 0) return refuse(FrameFault::kReserved);
  if (header.body_bytes > frame_cap(header.type, authenticated, max_value_bytes)) return refuse(FrameFault::kTooLong);
  return parsed;
}

std::array<char, kFrameHeaderBytes> encode_frame_header(const FrameHeader& header) {
  ByteWriter writer;
  writer.integer(kFrameMagic);
  writer.integer(kFrameVersion);
  writer.integer(static_cast<uint16_t>(header.type));
  writer.integer(header.epoch);
  writer.integer(uint32_t{0});
  writer.integer(header.body_bytes);
  writer.integer(header.request);
  const std::string bytes = writer.take();
  std::array<char, kFrameHeaderBytes> out;
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace ps
