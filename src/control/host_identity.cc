#include "control/host_identity.h"

#include <sys/stat.h>

#include <fstream>

#include "base/error.h"

namespace ps {

std::string host_identity(const std::string& override_id) {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  struct stat network{};
  ::stat("/proc/self/ns/net", &network);
  return fmt::format("{}/{}/{}", boot, network.st_ino, override_id);
}

}  // namespace ps
