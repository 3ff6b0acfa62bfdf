#include "control/host_identity.h"

#include <sys/stat.h>

#include "base/error.h"
#include "base/text_file.h"

namespace ps {

std::string host_identity(const std::string& override_id) {
  std::string boot;
  TextFile file("/proc/sys/kernel/random/boot_id");
  std::getline(file, boot);
  struct stat network{};
  ::stat("/proc/self/ns/net", &network);
  return fmt::format("{}/{}/{}", boot, network.st_ino, override_id);
}

}  // namespace ps
