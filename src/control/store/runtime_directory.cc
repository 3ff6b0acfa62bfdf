#include "control/store/runtime_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.h"

namespace ps {

std::string runtime_directory() { return fmt::format("/tmp/parallelstate-{}", ::geteuid()); }

void ensure_runtime_directory() {
  const std::string path = runtime_directory();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) fail_errno("making the directory {}", path);
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) fail_errno("looking at the directory {}", path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0) {
    fail(PS_ERR_DENIED,
         "{} is not a directory of user {} with mode 0700 (it is of user {}, mode {:o}), so sockets in it are not "
         "safe; remove it, or name another place in PS_RENDEZVOUS",
         path, ::geteuid(), status.st_uid, status.st_mode & 07777);
  }
}

}  // namespace ps
