// The thread that serves a store's data to authenticated connections.
#pragma once

#include <memory>

#include "base/descriptor.h"
#include "control/store/conversation.h"

namespace ps {

class ServerLoop;

class Server {
 public:
  // `listener` listens already and does not block.
  Server(Descriptor listener, std::shared_ptr<HostedState> state);
  // Takes leave of all clients, so that they report a store closed in order, then ends the thread.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  std::unique_ptr<ServerLoop> loop_;
};

}  // namespace ps
