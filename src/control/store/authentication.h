// HMAC-SHA256 for the store's connections. Each frame of an authenticated connection carries a MAC under a key that
// only this connection and direction has, over an implied counter: nothing can be changed, replayed, dropped or
// reordered. There is no secrecy: who listens reads.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace ps {

inline constexpr size_t kMacBytes = 32;
inline constexpr size_t kNonceBytes = 32;
using Mac = std::array<char, kMacBytes>;

inline std::string_view view(const Mac& mac) { return std::string_view(mac.data(), mac.size()); }

std::string random_bytes(size_t size);

Mac authenticate(std::string_view key, std::initializer_list<std::string_view> parts);
// In constant time.
bool equal_macs(std::string_view a, std::string_view b);

// One direction of a connection. With an empty key frames carry no MAC.
class FrameAuthenticator {
 public:
  FrameAuthenticator() = default;
  explicit FrameAuthenticator(std::string key) : key_(std::move(key)) {}

  size_t mac_bytes() const { return key_.empty() ? 0 : kMacBytes; }
  // The next frame's MAC; empty without a key.
  std::string next(std::string_view header, std::string_view body);
  // Whether this is the MAC of the next frame.
  bool accepts(std::string_view header, std::string_view body, std::string_view mac);

 private:
  std::string key_;
  uint64_t counter_ = 0;
};

}  // namespace ps
