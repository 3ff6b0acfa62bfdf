#include "control/store/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "control/store/authentication.h"
#include "control/store/network.h"
#include "control/store/port_owner.h"
#include "control/store/runtime_directory.h"

namespace ps {
namespace {

void check_trust(const SocketAddress& bound, const StoreSettings& settings) {
  if (is_loopback(bound) || !settings.secret.empty() || settings.allow_unauthenticated) return;
  fail(PS_ERR_DENIED,
       "a store at {} is reached by other hosts, and there is no secret that its clients could prove; on all of them "
       "set PS_SECRET_FILE to a file with the same secret (or PS_SECRET, or the secret in psConfig or psStoreOptions), or "
       "listen on 127.0.0.1, or let everybody in with the flag ALLOW_UNAUTHENTICATED (for psInit PS_ALLOW_UNAUTHENTICATED=1 "
       "too; psStoreOpen does not read it)",
       to_text(bound));
}

std::string tcp_url(SocketAddress bound, const StoreSettings& settings) {
  if (is_wildcard(bound)) {
    SocketAddress advertised = advertised_address(settings.network, bound.family());
    set_port(advertised, port_of(bound));
    bound = advertised;
  }
  Address address;
  address.scheme = Scheme::kTcp;
  address.host = host_of(bound);
  address.port = port_of(bound);
  return to_url(address);
}

std::string first_label(const std::string& name) { return name.substr(0, name.find('.')); }

// Debian gives a host's own name 127.0.1.1, which on other hosts means another address.
bool is_own_name_here_alone(const std::string& host, const std::vector<SocketAddress>& candidates) {
  return first_label(host) == first_label(host_name()) && host != "localhost" &&
         std::all_of(candidates.begin(), candidates.end(), is_loopback);
}

// Where to listen for `host`. A wildcard means the network that is named. With proof of who comes, the host's own name
// means all addresses where it is a name for loopback here, and elsewhere what others can reach before loopback.
std::vector<SocketAddress> addresses_to_bind(const std::string& host, uint16_t port, const StoreSettings& settings) {
  std::string why;
  auto candidates = resolve(host, port, why);
  if (candidates.empty()) throw AddressTaken{why};
  if (is_wildcard(candidates.front()) && !settings.network.empty()) {
    SocketAddress address = network_address(settings.network);
    set_port(address, port);
    return {address};
  }
  if (settings.secret.empty() && !settings.allow_unauthenticated) return candidates;
  if (is_own_name_here_alone(host, candidates)) {
    const bool is_ipv6 = advertised_address("", AF_INET6).family() == AF_INET6;
    return resolve(is_ipv6 ? "::" : "0.0.0.0", port, why);
  }
  std::stable_partition(candidates.begin(), candidates.end(), [](const SocketAddress& a) { return !is_loopback(a); });
  return candidates;
}

Listener listen_tcp(const std::vector<SocketAddress>& candidates, const std::string& shown,
                    const StoreSettings& settings) {
  std::string why;
  for (const SocketAddress& candidate : candidates) {
    Descriptor fd = new_stream_socket(candidate.family());
    const int on = 1;
    const int off = 0;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (candidate.family() == AF_INET6 && is_wildcard(candidate)) {
      ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    const bool bound = ::bind(fd.get(), candidate.get(), candidate.size) == 0;
    if (bound) check_trust(local_address(fd.get()), settings);
    if (bound && ::listen(fd.get(), SOMAXCONN) == 0) {
      Listener listener;
      listener.url = tcp_url(local_address(fd.get()), settings);
      listener.fd = std::move(fd);
      return listener;
    }
    if (errno == EADDRINUSE) {
      throw AddressTaken{fmt::format("the address {} is in use by {}", shown, port_owner(port_of(candidate)))};
    }
    if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) fail_errno("the store cannot listen at {}", shown);
    why = fmt::format("{} is no address of this host", to_text(candidate));
  }
  throw AddressTaken{why};
}

Listener listen_unix(const std::string& path) {
  if (directory_of(path) == runtime_directory()) ensure_runtime_directory();
  Listener listener;
  listener.is_unix = true;
  listener.url = "unix://" + path;
  listener.socket_file = UnixSocketFile::listen(path, listener.fd);
  if (!listener.socket_file) {
    throw AddressTaken{fmt::format("the address {} is in use by another process, which listens there", listener.url)};
  }
  return listener;
}

std::string random_name() {
  std::string name;
  for (const char c : random_bytes(8)) {
    name += fmt::format("{:02x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return name;
}

Listener listen_file(const std::string& directory, const StoreSettings& settings) {
  Listener listener;
  if (settings.network.empty()) {
    listener = listen_unix(fmt::format("{}/{}", runtime_directory(), random_name()));
  } else {
    SocketAddress address = network_address(settings.network);
    set_port(address, 0);
    listener = listen_tcp({address}, host_of(address), settings);
  }
  listener.published =
      std::make_unique<PublishedUrl>(published_url_path(directory, settings.job), listener.url);
  return listener;
}

Listener adopt(int fd, const StoreSettings& settings) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) {
    fail(PS_ERR_ARGUMENT, "fd://{}: descriptor {} is not a listening socket; it must be inherited from the process "
         "that called listen on it", fd, fd);
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  const SocketAddress bound = local_address(fd);
  check_trust(bound, settings);
  Listener listener;
  // A duplicate: the number stays the caller's, for its next store.
  listener.fd = Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if (!listener.fd) fail_errno("fd://{}: duplicating the descriptor", fd);
  ::fcntl(listener.fd.get(), F_SETFL, ::fcntl(listener.fd.get(), F_GETFL) | O_NONBLOCK);
  listener.is_unix = bound.family() == AF_UNIX;
  listener.url = listener.is_unix ? "unix://" + to_text(bound) : tcp_url(bound, settings);
  return listener;
}

}  // namespace

Listener listen_at(const Address& address, const StoreSettings& settings) {
  switch (address.scheme) {
    case Scheme::kUnix: return listen_unix(address.path);
    case Scheme::kFile: return listen_file(address.path, settings);
    case Scheme::kDescriptor: return adopt(address.descriptor, settings);
    default: break;
  }
  const auto candidates = addresses_to_bind(address.host, address.port, settings);
  return listen_tcp(candidates, fmt::format("{}:{}", address.host, address.port), settings);
}

}  // namespace ps
