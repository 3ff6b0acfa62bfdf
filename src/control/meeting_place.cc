#include "control/meeting_place.h"

#include <sodium.h>

#include <array>

#include "base/environment.h"
#include "base/error.h"
#include "control/store/runtime_directory.h"

namespace ps {
namespace {

constexpr size_t kHashBytes = 16;

std::string hash_name(std::string_view identity) {
  std::array<unsigned char, kHashBytes> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(identity.data()), identity.size(),
                     nullptr, 0);
  std::string name;
  for (const unsigned char byte : hash) name += fmt::format("{:02x}", byte);
  return name;
}

}  // namespace

std::string local_meeting_place(std::string_view identity) {
  ensure_runtime_directory();
  return fmt::format("unix://{}/{}.sock", runtime_directory(), hash_name(identity));
}

std::string network_meeting_place(std::string_view spread) {
  const auto address = environment("MASTER_ADDR");
  if (!address) {
    fail(PS_ERR_ARGUMENT,
         "the world spans several nodes ({}) and nothing says where it meets; set PS_RENDEZVOUS=tcp://HOST:PORT with "
         "the host of rank 0, or MASTER_ADDR and PS_MASTER_PORT",
         spread);
  }
  const auto torch_port = environment_integer("MASTER_PORT", 1, 65535);
  auto port = environment_integer("PS_MASTER_PORT", 1, 65535);
  if (!port) {
    if (!torch_port) {
      fail(PS_ERR_ARGUMENT, "the world spans several nodes ({}) and MASTER_ADDR={} comes without a port; set PS_MASTER_PORT",
           spread, *address);
    }
    if (*torch_port == 65535) {
      fail(PS_ERR_ARGUMENT, "MASTER_PORT=65535 has no next port for this library to use; set PS_MASTER_PORT");
    }
    port = *torch_port + 1;
  }
  if (port == torch_port) {
    fail(PS_ERR_ARGUMENT, "PS_MASTER_PORT={} is MASTER_PORT, which belongs to torch; choose another port", *port);
  }
  const bool is_ipv6 = address->find(':') != std::string::npos && address->front() != '[';
  return is_ipv6 ? fmt::format("tcp://[{}]:{}", *address, *port) : fmt::format("tcp://{}:{}", *address, *port);
}

}  // namespace ps
