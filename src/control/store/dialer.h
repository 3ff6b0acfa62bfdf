// Finds the store that a URL means and connects to it.
#pragma once

#include <memory>
#include <string>

#include "control/store/address.h"
#include "control/store/connection.h"
#include "control/store/socket.h"
#include "control/store/store.h"

namespace ps {

class Dialer {
 public:
  Dialer(const StoreSettings& settings, Role role);

  // Tries until somebody answers. Errors: TIMEOUT with the last attempt's fate, DENIED, SYSTEM.
  std::unique_ptr<Connection> dial(Deadline deadline);
  // One attempt at every address; throws NotYet, and what `check` does.
  std::unique_ptr<Connection> try_once(Deadline deadline, const StopCheck& check = nullptr);

  // Where the store really is; the URL that was given until it was found.
  const std::string& url() const { return found_; }

 private:
  std::unique_ptr<Connection> connect(const SocketAddress& address, Deadline deadline, const StopCheck& check);
  Descriptor connect_from_network(const SocketAddress& address, Deadline deadline, int& error) const;
  Address target() const;

  const std::string url_;
  const Address address_;
  const std::string network_;
  ClientIdentity identity_;
  std::string found_;
  int strange_answers_ = 0;
  int64_t first_strange_ns_ = 0;
};

}  // namespace ps
