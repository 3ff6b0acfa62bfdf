#include "control/store/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "base/error.h"
#include "base/fork.h"

namespace ps {
namespace {

constexpr unsigned kUserTimeoutMs = 3000;

const sockaddr_in& v4(const SocketAddress& address) { return reinterpret_cast<const sockaddr_in&>(address.storage); }
const sockaddr_in6& v6(const SocketAddress& address) { return reinterpret_cast<const sockaddr_in6&>(address.storage); }

void set_option(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

}  // namespace

std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, std::string& why) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (error != 0) {
    why = fmt::format("the name \"{}\" has no address: {}", host, ::gai_strerror(error));
    return {};
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* item = list; item != nullptr; item = item->ai_next) {
    if (item->ai_family != AF_INET && item->ai_family != AF_INET6) continue;
    SocketAddress address;
    std::memcpy(&address.storage, item->ai_addr, item->ai_addrlen);
    address.size = item->ai_addrlen;
    addresses.push_back(address);
  }
  ::freeaddrinfo(list);
  if (addresses.empty()) why = fmt::format("the name \"{}\" has no IPv4 or IPv6 address", host);
  return addresses;
}

SocketAddress unix_address(const std::string& path) {
  SocketAddress address;
  auto& target = reinterpret_cast<sockaddr_un&>(address.storage);
  if (path.size() >= sizeof target.sun_path) {
    fail(PS_ERR_ARGUMENT, "the socket path \"{}\" has {} bytes; the system allows {}", path, path.size(),
         sizeof target.sun_path - 1);
  }
  target.sun_family = AF_UNIX;
  std::memcpy(target.sun_path, path.c_str(), path.size() + 1);
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

SocketAddress local_address(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(fd, address.get(), &address.size) != 0) fail_errno("the address of socket {} is unknown", fd);
  return address;
}

uint16_t port_of(const SocketAddress& address) {
  return ntohs(address.family() == AF_INET6 ? v6(address).sin6_port : v4(address).sin_port);
}

void set_port(SocketAddress& address, uint16_t port) {
  if (address.family() == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address.storage).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address.storage).sin_port = htons(port);
  }
}

std::string host_of(const SocketAddress& address) {
  char text[NI_MAXHOST] = "?";
  ::getnameinfo(address.get(), address.size, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  return text;
}

std::string to_text(const SocketAddress& address) {
  if (address.family() == AF_INET) return fmt::format("{}:{}", host_of(address), port_of(address));
  if (address.family() == AF_INET6) return fmt::format("[{}]:{}", host_of(address), port_of(address));
  const auto& local = reinterpret_cast<const sockaddr_un&>(address.storage);
  const size_t longest = address.size - std::min<size_t>(address.size, offsetof(sockaddr_un, sun_path));
  return std::string(local.sun_path, ::strnlen(local.sun_path, longest));
}

bool is_loopback(const SocketAddress& address) {
  if (address.family() == AF_INET) return ntohl(v4(address).sin_addr.s_addr) >> 24 == 127;
  if (address.family() != AF_INET6) return true;
  const in6_addr& ip = v6(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr[12] == 127);
}

bool is_wildcard(const SocketAddress& address) {
  if (address.family() == AF_INET) return v4(address).sin_addr.s_addr == htonl(INADDR_ANY);
  if (address.family() != AF_INET6) return false;
  const in6_addr& ip = v6(address).sin6_addr;
  return IN6_IS_ADDR_UNSPECIFIED(&ip) || (IN6_IS_ADDR_V4MAPPED(&ip) && ip.s6_addr32[3] == 0);
}

Descriptor new_stream_socket(int family) {
  Descriptor fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) fail_errno("no socket for the store's connection");
  keep_from_children(fd.get());
  return fd;
}

void tune_stream(int fd) {
  if (local_address(fd).family() == AF_UNIX) return;
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 2);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kUserTimeoutMs);
}

bool wait_for_events(int fd, short events, Deadline deadline) {
  while (true) {
    pollfd entry = {fd, events, 0};
    const int64_t ms = std::min<int64_t>(deadline.remaining_ms(), 1 << 30);
    const int count = ::poll(&entry, 1, static_cast<int>(ms));
    if (count > 0) return true;
    if (count < 0 && errno != EINTR && errno != EAGAIN) fail_errno("poll on a connection of the store");
    if (deadline.passed()) return false;
  }
}

Descriptor connect_stream(const SocketAddress& address, Deadline deadline, int& error, const SocketAddress* from) {
  Descriptor fd = new_stream_socket(address.family());
  error = 0;
  if (from != nullptr) {
    set_option(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    if (::bind(fd.get(), from->get(), from->size) != 0) {
      error = errno;
      return Descriptor();
    }
  }
  // A full backlog of a UNIX socket is EAGAIN, and there is nothing to poll for.
  while (::connect(fd.get(), address.get(), address.size) != 0) {
    if (errno == EINTR) continue;
    if (errno != EINPROGRESS) {
      error = errno;
      return Descriptor();
    }
    if (!wait_for_events(fd.get(), POLLOUT, deadline)) {
      error = ETIMEDOUT;
      return Descriptor();
    }
    socklen_t size = sizeof error;
    if (::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return Descriptor();
    break;
  }
  tune_stream(fd.get());
  return fd;
}

int64_t peer_user(int fd) {
  ucred credentials = {};
  socklen_t size = sizeof credentials;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return -1;
  return credentials.uid;
}

}  // namespace ps
