// Which of this host's addresses others can reach.
#pragma once

#include <optional>
#include <string>

#include "control/store/socket.h"

namespace ps {

// The address of an interface ("eth0"), or a literal that is one of this host's. Errors: ARGUMENT listing the
// interfaces.
SocketAddress network_address(const std::string& network);
// The same of one family; nothing where the network is this host's and has none.
std::optional<SocketAddress> network_address(const std::string& network, int family);

// What to advertise for a listener on all addresses: the network's if one is named, else what the host's own name means
// beyond loopback, else the first interface beyond loopback, else loopback.
SocketAddress advertised_address(const std::string& network, int family);

// What peers see this process as, where a world meets at `url`: the network's address if one is named, for tcp the
// address that the route to it begins with (never loopback, while there is another), else the host's name.
std::string peer_address(const std::string& network, const std::string& url);

// Whether `url` is a tcp address that no other host can reach.
bool is_out_of_reach(const std::string& url);

std::string host_name();

}  // namespace ps
