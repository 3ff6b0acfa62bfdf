// What a connection of Gloo may have under way: a fixed amount where an answer comes soon, what the system chooses elsewhere.
// Which of them it was is asked of the connection, as a machine may be slow to answer itself.
#include "socket_buffers.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ps::gloo_transport {
namespace {

constexpr int kBufLock = 72;

template <class Value>
Value option(int socket, int level, int name) {
  Value value{};
  socklen_t length = sizeof value;
  EXPECT_EQ(::getsockopt(socket, level, name, &value, &length), 0);
  return value;
}

// As Gloo makes them: with fixed buffers.
int make_socket() {
  const int made = ::socket(AF_INET, SOCK_STREAM, 0);
  const int sent = 32 << 10;
  const int received = 1 << 20;
  EXPECT_EQ(::setsockopt(made, SOL_SOCKET, SO_SNDBUF, &sent, sizeof sent), 0);
  EXPECT_EQ(::setsockopt(made, SOL_SOCKET, SO_RCVBUF, &received, sizeof received), 0);
  return made;
}

TEST(SocketBuffers, AreOfBothEndsOfAConnection) {
  const int listening = make_socket();
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  ASSERT_EQ(::bind(listening, reinterpret_cast<sockaddr*>(&where), length), 0);
  ASSERT_EQ(::listen(listening, 1), 0);
  ASSERT_EQ(::getsockname(listening, reinterpret_cast<sockaddr*>(&where), &length), 0);
  const int connecting = make_socket();
  ASSERT_EQ(::connect(connecting, reinterpret_cast<sockaddr*>(&where), length), 0);
  const int accepted = ::accept(listening, nullptr, nullptr);
  for (const int end : {connecting, accepted}) {
    const int before = option<int>(end, SOL_SOCKET, SO_SNDBUF);
    const bool is_near = option<tcp_info>(end, IPPROTO_TCP, TCP_INFO).tcpi_rtt <= 250;
    size_buffers(end);
    if (is_near) {
      EXPECT_EQ(before, 64 << 10);
      EXPECT_EQ(option<int>(end, SOL_SOCKET, SO_SNDBUF), 384 << 10);
    } else {
      EXPECT_EQ(option<int>(end, SOL_SOCKET, kBufLock), 0);
    }
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
