#include "control/store/authentication.h"

#include <sodium.h>

#include "base/bytes.h"
#include "base/error.h"

namespace ps {
namespace {

static_assert(kMacBytes == crypto_auth_hmacsha256_BYTES);

void start_sodium() {
  static const int started = ::sodium_init();
  if (started < 0) fail(PS_ERR_INTERNAL, "libsodium could not start");
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

std::string random_bytes(size_t size) {
  start_sodium();
  std::string bytes(size, '\0');
  ::randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

Mac authenticate(std::string_view key, std::initializer_list<std::string_view> parts) {
  start_sodium();
  crypto_auth_hmacsha256_state state;
  ::crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
  for (const std::string_view part : parts) ::crypto_auth_hmacsha256_update(&state, bytes_of(part), part.size());
  Mac mac;
  ::crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(mac.data()));
  return mac;
}

bool equal_macs(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string FrameAuthenticator::next(std::string_view header, std::string_view body) {
  if (key_.empty()) return "";
  ByteWriter counter;
  counter.integer(counter_++);
  const Mac mac = authenticate(key_, {counter.take(), header, body});
  return std::string(view(mac));
}

bool FrameAuthenticator::accepts(std::string_view header, std::string_view body, std::string_view mac) {
  return equal_macs(next(header, body), mac);
}

}  // namespace ps
