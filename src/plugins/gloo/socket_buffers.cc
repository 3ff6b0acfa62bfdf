#include "socket_buffers.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

namespace ps::gloo_transport {
namespace {

// Half of what the system makes of it, and less than the most that it gives to whoever asks (net.core.wmem_max). Between two
// network namespaces all_reduce of 64 MiB takes half of the time with 128 to 256 KiB that it takes with 32, and with 400 or
// what the system chooses when it is let 0.7 to 1: what waits is then in no cache any more, and packets are dropped.
constexpr int kNearBytes = 192 << 10;
// Where an answer takes longer to come, that would bound the rate, at 1.5 GB/s.
constexpr uint32_t kNearUs = 250;

}  // namespace

void size_buffers(int socket) {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) return;
  if (info.tcpi_rtt <= kNearUs) {
    ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kNearBytes, sizeof kNearBytes);
    return;
  }
  // Both directions to the system again, from Linux 5.14 on.
  const int fixed = 0;
  ::setsockopt(socket, SOL_SOCKET, SO_BUF_LOCK, &fixed, sizeof fixed);
}

}  // namespace ps::gloo_transport
