// Stream sockets the way the library wants them: non-blocking, close-on-exec, and quick to notice a peer that is cut
// off.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/descriptor.h"

namespace ps {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// All addresses of a host, by the system's resolver. Empty, and `why` says so, when it has none.
std::vector<SocketAddress> resolve(const std::string& host, uint16_t port, std::string& why);
SocketAddress unix_address(const std::string& path);

SocketAddress local_address(int fd);
uint16_t port_of(const SocketAddress& address);
void set_port(SocketAddress& address, uint16_t port);
// "127.0.0.1", "fe80::1%eth0".
std::string host_of(const SocketAddress& address);
// "127.0.0.1:29400", "[::1]:29400", "/run/x"; for a text about a peer.
std::string to_text(const SocketAddress& address);
bool is_loopback(const SocketAddress& address);
bool is_wildcard(const SocketAddress& address);

Descriptor new_stream_socket(int family);
// For a stream that is connected: no delay for small frames, and its end is noticed about 3 s after the peer's host is
// cut.
void tune_stream(int fd);

// A connected socket, or none and `error` is an errno; ETIMEDOUT at the deadline. `from`, if any, is this end's
// address.
Descriptor connect_stream(const SocketAddress& address, Deadline deadline, int& error,
                          const SocketAddress* from = nullptr);

// Waits until the descriptor has one of `events` (or is in error); false at the deadline.
bool wait_for_events(int fd, short events, Deadline deadline);

// The user at the other end of a UNIX socket, -1 if it cannot be known.
int64_t peer_user(int fd);

}  // namespace ps
