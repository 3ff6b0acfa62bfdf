#include "base/process_memory.h"

#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace ps {
namespace {

// The kernel may move less than it was asked for.
template <class Move>
int move_all(std::byte* local, uint64_t remote, size_t bytes, Move&& move) {
  while (bytes > 0) {
    const iovec here{local, bytes};
    const iovec there{reinterpret_cast<void*>(remote), bytes};
    const ssize_t moved = move(here, there);
    if (moved < 0 && errno == EINTR) continue;
    if (moved < 0) return errno;
    if (moved == 0) return EFAULT;
    local += moved;
    remote += static_cast<uint64_t>(moved);
    bytes -= static_cast<size_t>(moved);
  }
  return 0;
}

}  // namespace

int read_process(int32_t pid, std::byte* to, uint64_t from, size_t bytes) {
  return move_all(to, from, bytes, [pid](const iovec& here, const iovec& there) {
    return ::process_vm_readv(pid, &here, 1, &there, 1, 0);
  });
}

int write_process(int32_t pid, uint64_t to, const std::byte* from, size_t bytes) {
  return move_all(const_cast<std::byte*>(from), to, bytes, [pid](const iovec& here, const iovec& there) {
    return ::process_vm_writev(pid, &here, 1, &there, 1, 0);
  });
}

bool is_lendable(const std::byte* data, size_t bytes) {
  if (bytes == 0) return true;
  std::byte read[2];
  const iovec here{read, sizeof read};
  const iovec ends[] = {{const_cast<std::byte*>(data), 1}, {const_cast<std::byte*>(data + bytes - 1), 1}};
  return ::process_vm_readv(::getpid(), &here, 1, ends, std::size(ends), 0) == sizeof read;
}

}  // namespace ps
