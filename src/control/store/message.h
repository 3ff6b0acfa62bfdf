// The bodies of frames: what a client asks and what the store answers. Parsers give nothing for anything but exactly
// one well-formed message; what they give points into the body.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "control/store/frame.h"
#include "control/store/store.h"

namespace ps {

inline constexpr size_t kLongestKey = 1024 + 64;  // a caller's key and the library's prefix
inline constexpr size_t kLongestScope = 1024;
inline constexpr size_t kLongestWho = 512;
inline constexpr size_t kLongestBlob = 16 << 10;
inline constexpr size_t kMostMembers = 16 << 10;
inline constexpr size_t kLongestErrorText = 32 << 10;
inline constexpr uint64_t kLongestExchangeRequest = 128 << 10;
inline constexpr uint64_t kLongestExchanged = uint64_t{kMostMembers} * (kLongestBlob + 4) + 64;

struct SetRequest {
  std::string_view key;
  std::string_view value;
  int64_t expire_ms = 0;
};
struct GetRequest {
  std::string_view key;
  int64_t wait_ms = 0;
};
struct AddRequest {
  std::string_view key;
  int64_t delta = 0;
};
struct CompareAndSetRequest {
  std::string_view key;
  std::optional<std::string_view> expected;
  std::string_view desired;
  int64_t expire_ms = 0;
};
struct RemoveRequest {
  std::string_view key;
};
struct ExchangeRequest {
  Exchange exchange;
  int64_t wait_ms = 0;
};
struct GiveUpRequest {
  psResult code = PS_ERR_ABORTED;
  int32_t culprit = PS_NO_RANK;
  std::string_view text;
};

using Request = std::variant<SetRequest, GetRequest, AddRequest, CompareAndSetRequest, RemoveRequest, ExchangeRequest,
                             GiveUpRequest>;

FrameType frame_type(const Request& request);
std::string encode_request(const Request& request);
std::optional<Request> parse_request(FrameType type, std::string_view body);

std::string encode_number(int64_t number);
std::optional<int64_t> parse_number(std::string_view body);

std::string encode_error(const Error& error);
std::optional<Error> parse_error(std::string_view body);

std::string encode_exchanged(uint64_t serial, const TransientVector<std::string_view>& blobs);
// The result has no owner: its blobs are parts of `body`.
std::optional<Exchanged> parse_exchanged(std::string_view body);

// Text from another process as one shows it: at most `longest` bytes, control characters replaced.
std::string printable(std::string_view text, size_t longest);

}  // namespace ps
