// Finds out who listens on a TCP port of this host.
#pragma once

#include <cstdint>
#include <string>

namespace ps {

// "python3 (pid 77)", "a process of another user", "a socket that is bound and does not listen".
std::string port_owner(uint16_t port);

}  // namespace ps
