// What a connection of Gloo may have under way: a fixed amount where an answer comes at once, what the system chooses
// elsewhere. Which it was is asked of the connection, as a busy machine may be slow to answer itself.
#include "socket_buffers.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ps::gloo_transport {
namespace {

template <class Value>
Value option(int socket, int level, int name) {
  Value value{};
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket, level, name, &value, &length), 0);
  return value;
}

TEST(SocketBuffers, AreOfBothEndsOfAConnection) {
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&where), length), 0);
  ASSERT_EQ(::listen(listening, 1), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&where), &length), 0);
  const int connecting = ::socket(AF_INET, SOCK_STREAM, 0);
  ASSERT_EQ(::connect(connecting, reinterpret_cast<sockaddr*>(&where), length), 0);
  const int accepted = ::accept(listening, nullptr, nullptr);
  for (const int end : {connecting, accepted}) {
    const int before = option<int>(end, SOL_SOCKET, SO_SNDBUF);
    const uint32_t rtt_us = option<tcp_info>(end, IPPROTO_TCP, TCP_INFO).tcpi_rtt;
    size_buffers(end);
    const bool is_near = rtt_us > 0 && rtt_us <= 30;
    EXPECT_EQ(option<int>(end, SOL_SOCKET, SO_SNDBUF), is_near ? 384 << 10 : before) << rtt_us << " us";
  }
  for (const int end : {connecting, accepted, listening}) ::close(end);
}

TEST(SocketBuffers, OfWhatIsNoConnectionAreLeftAlone) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const int before = option<int>(ends[0], SOL_SOCKET, SO_SNDBUF);
  size_buffers(ends[0]);
  EXPECT_EQ(option<int>(ends[0], SOL_SOCKET, SO_SNDBUF), before);
  for (const int end : ends) ::close(end);
}

}  // namespace
}  // namespace ps::gloo_transport
