// Takes the address that a URL names and listens there.
#pragma once

#include <memory>
#include <string>

#include "base/descriptor.h"
#include "control/store/address.h"
#include "control/store/published_url.h"
#include "control/store/socket.h"
#include "control/store/store.h"
#include "control/store/unix_socket.h"

namespace ps {

// Thrown when the address cannot be had: somebody listens there, or it is another host's.
struct AddressTaken {
  std::string text;  // who has it, as far as can be seen
};

struct Listener {
  Descriptor fd;
  std::string url;         // how others reach it
  bool is_unix = false;
  // What exists in the file system for as long as it listens.
  std::unique_ptr<UnixSocketFile> socket_file;
  std::unique_ptr<PublishedUrl> published;
};

// tcp, unix, file and fd. Throws AddressTaken, or Error: DENIED for an address that other hosts reach without a secret
// or leave; ARGUMENT; SYSTEM.
Listener listen_at(const Address& address, const StoreSettings& settings);

}  // namespace ps
