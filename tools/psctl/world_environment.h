// What the ranks of one world share, made before the first of them starts: a private directory for the socket where
// they meet, a port for programs that read MASTER_PORT, the job's name and its secret.
#pragma once

#include <string>

#include "descriptor.h"
#include "run_nodes.h"
#include "run_options.h"

namespace psctl {

class WorldEnvironment {
 public:
  // Of ranks that are all on this host.
  explicit WorldEnvironment(int local_size);
  WorldEnvironment(const WorldEnvironment&) = delete;
  ~WorldEnvironment() { remove_directory(); }

  // From now on the ranks are some of a world on several hosts.
  void spread(const NodePlace& place);

  const std::string& job() const { return job_; }
  int master_port() const { return port_; }
  int node() const { return node_; }
  int first_rank() const { return first_rank_; }

  // Every variable of the environment of this host's rank `local_rank`, ours over the inherited ones, `over` above all.
  std::vector<std::string> of_rank(int local_rank, const Variables& over) const;

  // Idempotent.
  void remove_directory() const;

 private:
  int local_size_;
  int world_size_;
  int first_rank_ = 0;
  int node_ = 0;
  std::string url_;
  std::string master_host_ = "127.0.0.1";
  std::string directory_;
  std::string job_;
  std::string secret_;
  // Bound and not listening: no other program is given the port, and a rank can still bind it, as torch's store does
  // with SO_REUSEADDR.
  Descriptor port_holder_;
  int port_ = 0;
};

}  // namespace psctl
