#include "control/store/runtime_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

// Leaves room in a socket's address (108 bytes) for the names in the directory.
constexpr size_t kLongestDirectory = 60;

bool is_own_directory(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace

std::string runtime_directory() {
  if (const auto given = environment("XDG_RUNTIME_DIR"); given && given->front() == '/' && is_own_directory(*given)) {
    const std::string directory = *given + "/parallelstate";
    if (directory.size() <= kLongestDirectory) return directory;
  }
  return fmt::format("/tmp/parallelstate-{}", ::geteuid());
}

void ensure_runtime_directory() {
  const std::string path = runtime_directory();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    fail_errno("cannot make the directory {} in which ranks on one host meet", path);
  }
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) fail_errno("cannot examine {}", path);
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
         "ranks on one host would meet in {}, but it {} (owner {}, mode {:04o}); remove it, or set PS_RENDEZVOUS", path,
         wrong, status.st_uid, status.st_mode & 07777);
  }
}

}  // namespace ps
