#include "base/fork.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ps {
namespace {

// By descriptor, the socket's inode; sockets with higher numbers are not kept. No inode is used twice while the machine
// runs, but for the wrap of a 32-bit count.
std::array<std::atomic<uint64_t>, 16384> inodes;
std::atomic<size_t> used{0};

// 0: no socket.
uint64_t inode_of(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

}  // namespace

void keep_from_children(int socket) {
  const auto i = static_cast<size_t>(socket);
  if (socket < 0 || i >= inodes.size()) return;
  inodes[i].store(inode_of(socket));
  size_t seen = used.load();
  while (seen <= i && !used.compare_exchange_weak(seen, i + 1)) {
  }
}

void drop_kept_sockets() {
  int nothing = -1;
  for (size_t i = 0; i < used.load(); ++i) {
    const auto fd = static_cast<int>(i);
    const uint64_t inode = inodes[i].load();
    if (inode == 0 || inode_of(fd) != inode) continue;
    if (nothing < 0) nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0) return;
    ::dup3(nothing, fd, O_CLOEXEC);
  }
  if (nothing >= 0) ::close(nothing);
}

}  // namespace ps
