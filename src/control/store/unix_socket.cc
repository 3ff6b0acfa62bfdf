#include "control/store/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <cerrno>

#include "base/error.h"
#include "control/store/socket.h"

namespace ps {
namespace {

constexpr int64_t kLockMs = 5000;
constexpr int64_t kProbeMs = 1000;

bool somebody_listens(const SocketAddress& address) {
  int error = 0;
  const Descriptor fd = connect_stream(address, Deadline::in_ms(kProbeMs), error);
  // A full backlog (EAGAIN) is somebody's too.
  return fd || (error != ECONNREFUSED && error != ENOENT);
}

}  // namespace

std::string directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

DirectoryLock::DirectoryLock(const std::string& directory)
    : fd_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!fd_) fail_errno("the store's directory {} cannot be opened", directory);
  const Deadline deadline = Deadline::in_ms(kLockMs);
  while (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) fail_errno("the store's directory {} cannot be locked", directory);
    if (deadline.passed()) {
      fail(PS_ERR_TIMEOUT, "another process has held a lock on the directory {} for {} ms", directory, kLockMs);
    }
    const timespec pause = {0, 2'000'000};
    ::nanosleep(&pause, nullptr);
  }
}

std::unique_ptr<UnixSocketFile> UnixSocketFile::listen(const std::string& path, Descriptor& fd) {
  const SocketAddress address = unix_address(path);
  const DirectoryLock lock(directory_of(path));
  fd = new_stream_socket(AF_UNIX);
  struct stat status;
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      fail(PS_ERR_SYSTEM, "{} exists and is no socket; remove it or use another path for the store", path);
    }
    if (somebody_listens(address)) return nullptr;
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) fail_errno("removing the stale socket {}", path);
  }
  if (::bind(fd.get(), address.get(), address.size) != 0) {
    if (errno == EADDRINUSE) return nullptr;
    fail_errno("binding the store's socket {}", path);
  }
  // Nobody can connect yet, so the mode is right before it matters.
  if (::chmod(path.c_str(), 0600) != 0 || ::lstat(path.c_str(), &status) != 0 ||
      ::listen(fd.get(), SOMAXCONN) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    errno = error;
    fail_errno("listening at the store's socket {}", path);
  }
  return std::unique_ptr<UnixSocketFile>(new UnixSocketFile(path, status.st_dev, status.st_ino));
}

UnixSocketFile::~UnixSocketFile() {
  try {
    const DirectoryLock lock(directory_of(path_));
    struct stat status;
    if (::lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
      ::unlink(path_.c_str());
    }
  } catch (const Error&) {
    // The directory is gone, and the file with it.
  }
}

}  // namespace ps
