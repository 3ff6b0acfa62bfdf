// Which of this host's addresses others can reach.
#pragma once

#include <string>

#include "control/store/socket.h"

namespace ps {

// The address of an interface ("eth0"), or a literal that is one of this host's. Errors: ARGUMENT listing the
// interfaces.
SocketAddress network_address(const std::string& network);

// What to advertise for a listener on all addresses: the network's if one is named, else what the host's own name means
// beyond loopback, else the first interface beyond loopback, else loopback.
SocketAddress advertised_address(const std::string& network, int family);

std::string host_name();

}  // namespace ps
