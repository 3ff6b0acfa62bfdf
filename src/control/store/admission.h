// Who is in a hosted store, and whether more may come. Thread-safe.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "base/deadline.h"
#include "control/store/handshake.h"

namespace ps {

class Admission {
 public:
  // One more connection of this client; false when the store is sealed and the client a rank that was never in, or when
  // it is closed and the client is not in. A rank may have no connection for a while: it drops one on which it gave up
  // waiting.
  bool enter(const std::string& client_id, Role role);
  void leave(const std::string& client_id);

  // From now on new ranks are turned away.
  void seal();
  // From now on every new client is.
  void close();
  // Until no rank has a connection. Other clients may stay as long as they like, and are told of the end when it comes.
  // False at the deadline.
  bool wait_for_ranks(Deadline deadline);

 private:
  std::mutex mutex_;
  std::condition_variable ranks_left_;
  std::map<std::string, int> connections_;
  std::set<std::string> ranks_;  // that were in at any time
  int ranks_here_ = 0;
  bool sealed_ = false;
  bool closed_ = false;
};

}  // namespace ps
