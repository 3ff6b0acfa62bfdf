// Who is in a hosted store, and whether more may come. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "base/deadline.h"
#include "control/store/handshake.h"

namespace ps {

class Admission {
 public:
  // One more connection of this client; false when the store is sealed and the client a rank that was not in before.
  bool enter(const std::string& client_id, Role role);
  void leave(const std::string& client_id);

  // From now on new ranks are turned away.
  void seal();
  // From now on every new client is.
  void close();
  // False at the deadline.
  bool wait_until_empty(Deadline deadline);

 private:
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::map<std::string, int> connections_;
  bool sealed_ = false;
  bool closed_ = false;
};

}  // namespace ps
