#include "control/store/key.h"

#include "base/error.h"
#include "control/store/message.h"
#include "control/store/store.h"

namespace ps {
namespace {

constexpr size_t kLongestCallersKey = 1024;

// The length of the UTF-8 sequence at the front, 0 for none. Overlong forms, surrogates and what is beyond U+10FFFF are
// none (table 3-7 of the Unicode standard).
size_t utf8_sequence(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xe0 && byte(1) < 0xa0) return 0;
    if (lead == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xf0 && byte(1) < 0x90) return 0;
    if (lead == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

}  // namespace

std::string shown_key(std::string_view key) {
  if (!key.empty() && key.front() == kReservedKeyPrefix) key.remove_prefix(1);
  return printable(key, 128) + (key.size() > 128 ? "..." : "");
}

void check_key(std::string_view key) {
  if (key.empty() || key.size() > kLongestCallersKey) {
    fail(PS_ERR_ARGUMENT, "a key of the store has 1 to {} bytes, this one {}", kLongestCallersKey, key.size());
  }
  if (key.front() == kReservedKeyPrefix) {
    fail(PS_ERR_ARGUMENT, "the key \"{}\" begins with the byte 1, which is kept for the library's own keys",
         shown_key(key));
  }
  for (size_t i = 0; i < key.size();) {
    const size_t length = utf8_sequence(key.substr(i));
    if (length == 0) {
      fail(PS_ERR_ARGUMENT, "the key \"{}\" is not UTF-8: the byte 0x{:02x} at offset {} begins no character",
           shown_key(key), static_cast<unsigned>(static_cast<unsigned char>(key[i])), i);
    }
    i += length;
  }
}

}  // namespace ps
