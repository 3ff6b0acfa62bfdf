// Says what it is that listens where a store was expected.
#pragma once

#include <optional>
#include <string>

#include "control/store/socket.h"

namespace ps {

// `first_bytes`: what it answered to a store's client; where that is nothing, it is asked, on connections of their own,
// the questions that torch's TCPStore and HTTP servers answer. Nothing where that does not tell.
std::optional<std::string> identify_stranger(const SocketAddress& address, const std::string& first_bytes,
                                             Deadline deadline);

}  // namespace ps
