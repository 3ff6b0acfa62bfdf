// The psctls of a world that spans hosts. They meet at a store that the first one serves, number the ranks by node, and
// from then on write one log together: a rank failed, a signal came, a node is done. All read it in the same order, so
// all agree on what failed first, and end with the same exit code.
#pragma once

#include <parallelstate.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "descriptor.h"
#include "run_options.h"

namespace psctl {

// What this node's ranks must know of the others.
struct NodePlace {
  int node = 0;
  int first_rank = 0;
  int world_size = 0;
  std::string url;          // where psctls and ranks meet
  std::string master_host;  // that of the first node
  int master_port = 0;
  std::string job;
};

struct NodeEvent {
  enum class Kind { kFailed, kSignalled, kDone, kLost };
  Kind kind = Kind::kDone;
  int node = 0;
  int number = 0;    // kFailed: the exit code; kSignalled: the signal
  std::string text;  // kFailed, kLost: what failed, and where
};

class Nodes {
 public:
  // Meets the others; `job` and `master_port` are taken from the first node. Calls `check` every few seconds or more
  // often, which may throw. Throws std::runtime_error.
  Nodes(const RunOptions& options, const std::string& job, int master_port, const std::function<void()>& check);
  Nodes(const Nodes&) = delete;
  // On the first node, waits for the others to read the end of the log, for some seconds.
  ~Nodes();

  const NodePlace& place() const { return place_; }

  // "node 1 (host b)"
  std::string name(int node) const;

  void tell(NodeEvent::Kind kind, int number = 0, const std::string& text = "");

  // Readable when take() has something.
  int descriptor() const { return ready_.get(); }
  // The log's next entries, this node's among them; kLost is this node's own finding, and the last: no more will come.
  std::vector<NodeEvent> take();

  bool all_done() const;

 private:
  struct Node {
    int ranks = 0;
    std::string host;
    std::atomic<bool> is_done{false};
    int64_t heard_ms = 0;
  };

  void open(const std::function<void()>& check);
  void claim();
  void learn(int node, const std::function<void()>& check);
  std::string wait_for(const std::string& key, const std::string& whom, const std::function<void()>& check);
  void append(const NodeEvent& event);
  void watch();
  void check_heartbeats();
  void deliver(NodeEvent event);

  const RunOptions& options_;
  NodePlace place_;
  int64_t deadline_ms_;
  int64_t looked_ms_ = 0;  // for heartbeats, last
  std::unique_ptr<psStoreImpl, psResult (*)(psStore)> store_;
  std::vector<Node> nodes_;
  Descriptor ready_;
  std::mutex mutex_;
  std::vector<NodeEvent> events_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<bool> is_lost_{false};
  std::thread watcher_;
};

}  // namespace psctl
