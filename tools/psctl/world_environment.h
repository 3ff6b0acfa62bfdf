// What the ranks of one world share, made before the first of them starts: a private directory for the socket where
// they meet, a port for programs that read MASTER_PORT, the job's name and its secret.
#pragma once

#include <string>

#include "descriptor.h"
#include "run_options.h"

namespace psctl {

class WorldEnvironment {
 public:
  explicit WorldEnvironment(int world_size);
  WorldEnvironment(const WorldEnvironment&) = delete;
  ~WorldEnvironment() { remove_directory(); }

  // Every variable of the rank's environment, ours over the inherited ones, `over` above all.
  std::vector<std::string> of_rank(int rank, const Variables& over) const;

  // Idempotent.
  void remove_directory() const;

 private:
  int world_size_;
  std::string directory_;
  std::string job_;
  std::string secret_;
  // Bound and not listening: no other program is given the port, and a rank can still bind it, as torch's store does
  // with SO_REUSEADDR.
  Descriptor port_holder_;
  int port_ = 0;
};

}  // namespace psctl
