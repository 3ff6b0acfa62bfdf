#include "control/store/network.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.h"
#include "control/store/address.h"

namespace ps {
namespace {

struct Interface {
  std::string name;
  SocketAddress address;
};

bool is_link_local(const SocketAddress& address) {
  if (address.family() != AF_INET6) return false;
  const in6_addr& ip = reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr;
  return IN6_IS_ADDR_LINKLOCAL(&ip);
}

std::vector<Interface> interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) fail_errno("listing this host's network interfaces");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<Interface> found;
  for (const ifaddrs* item = list; item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || (item->ifa_flags & IFF_UP) == 0) continue;
    const int family = item->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    Interface entry{item->ifa_name, {}};
    entry.address.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    std::memcpy(&entry.address.storage, item->ifa_addr, entry.address.size);
    // IPv4 first: what an interface's name means to most callers.
    found.insert(family == AF_INET ? found.begin() : found.end(), std::move(entry));
  }
  return found;
}

std::vector<SocketAddress> network_addresses(const std::string& network) {
  std::string known;
  std::vector<SocketAddress> found;
  for (const Interface& entry : interfaces()) {
    const std::string host = host_of(entry.address);
    const bool is_meant = (entry.name == network && !is_link_local(entry.address)) || host == network;
    if (is_meant) found.push_back(entry.address);
    known += fmt::format("{}{} {}", known.empty() ? "" : ", ", entry.name, host);
  }
  if (!found.empty()) return found;
  fail(PS_ERR_ARGUMENT, "the network \"{}\" is no interface or address of this host; it has {}", network, known);
}

// The address with which a packet to `address` would begin; asks the routing table and sends nothing.
std::optional<SocketAddress> route_to(const SocketAddress& address) {
  const Descriptor probe(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe || ::connect(probe.get(), address.get(), address.size) != 0) return std::nullopt;
  return local_address(probe.get());
}

}  // namespace

SocketAddress network_address(const std::string& network) { return network_addresses(network).front(); }

std::optional<SocketAddress> network_address(const std::string& network, int family) {
  for (const SocketAddress& address : network_addresses(network)) {
    if (address.family() == family) return address;
  }
  return std::nullopt;
}

std::string peer_address(const std::string& network, const std::string& url) {
  if (!network.empty()) return host_of(network_address(network));
  const Address where = parse_address(url);
  if (where.scheme != Scheme::kTcp) return host_name();
  std::string why;
  for (const SocketAddress& address : resolve(where.host, where.port, why)) {
    const auto from = route_to(address);
    if (from && !is_loopback(*from)) return host_of(*from);
  }
  return host_of(advertised_address("", AF_INET6));
}

SocketAddress advertised_address(const std::string& network, int family) {
  if (!network.empty()) return network_address(network);
  std::string why;
  // An IPv6 wildcard takes IPv4 as well.
  const auto fits = [&](const SocketAddress& address) {
    return !is_loopback(address) && !is_link_local(address) && (family == AF_INET6 || address.family() == family);
  };
  for (const SocketAddress& address : resolve(host_name(), 0, why)) {
    if (fits(address)) return address;
  }
  for (const Interface& entry : interfaces()) {
    if (fits(entry.address)) return entry.address;
  }
  return resolve(family == AF_INET6 ? "::1" : "127.0.0.1", 0, why).at(0);
}

bool is_out_of_reach(const std::string& url) {
  const Address where = parse_address(url);
  std::string why;
  const auto addresses =
      where.scheme == Scheme::kTcp ? resolve(where.host, where.port, why) : std::vector<SocketAddress>();
  return !addresses.empty() && std::all_of(addresses.begin(), addresses.end(), is_loopback);
}

std::string host_name() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace ps
