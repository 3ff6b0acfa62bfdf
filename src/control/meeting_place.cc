#include "control/meeting_place.h"

#include <sodium.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

constexpr size_t kLongestSocketPath = sizeof(sockaddr_un{}.sun_path) - 1;
constexpr size_t kHashBytes = 16;

std::string hash_name(std::string_view identity) {
  std::array<unsigned char, kHashBytes> hash;
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(identity.data()), identity.size(),
                     nullptr, 0);
  std::string name;
  for (const unsigned char byte : hash) name += fmt::format("{:02x}", byte);
  return name;
}

bool is_own_directory(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

void make_private(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_errno("cannot make the directory {} in which ranks on one host meet", directory);
  }
  struct stat status;
  if (::lstat(directory.c_str(), &status) != 0) fail_errno("cannot examine {}", directory);
  const char* wrong = nullptr;
  if (!S_ISDIR(status.st_mode)) {
    wrong = "is not a directory";
  } else if (status.st_uid != ::geteuid()) {
    wrong = "belongs to another user";
  } else if ((status.st_mode & 0077) != 0) {
    wrong = "is open to other users";
  }
  if (wrong != nullptr) {
    fail(PS_ERR_ARGUMENT,
         "ranks on one host would meet in {}, but it {} (owner {}, mode {:04o}); remove it, or set PS_RENDEZVOUS",
         directory, wrong, status.st_uid, status.st_mode & 07777);
  }
}

}  // namespace

std::string local_meeting_place(std::string_view identity) {
  const std::string name = "/" + hash_name(identity) + ".sock";
  std::string directory = fmt::format("/tmp/parallelstate-{}", ::geteuid());
  if (const auto runtime = environment("XDG_RUNTIME_DIR"); runtime && is_own_directory(*runtime)) {
    const std::string better = *runtime + "/parallelstate";
    if (better.front() == '/' && better.size() + name.size() <= kLongestSocketPath) directory = better;
  }
  make_private(directory);
  return "unix://" + directory + name;
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
