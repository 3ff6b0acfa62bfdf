// What a launcher says, in the environment, to each rank that it starts: torchrun, Open MPI, PMI, Slurm, and our own PS_*.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ps {

struct Launcher {
  std::string name;      // "torchrun"
  std::string evidence;  // "RANK=1, WORLD_SIZE=4": the variables that were read
  int32_t rank = 0;
  int32_t world_size = 1;
  int32_t local_rank = -1;  // -1 and 0: not said
  int32_t local_size = 0;
  int32_t nodes = 0;     // 0: not said
  std::string identity;  // equal on all ranks of one job and on no other job's; "" where the launcher says too little
  std::string restart;   // how often torchrun has restarted its ranks; "" elsewhere

  // Torchrun alone: how many of its agents there are. Another launcher of that size started the agents, not the ranks.
  int32_t agents = 0;
};

// Rank and size by PS_RANK and PS_WORLD_SIZE. Errors as below.
std::optional<Launcher> read_own_variables();

// The other launchers whose variables are set, first the one that counts. Errors: ARGUMENT names the variables and their
// values: half of a pair, no number, a rank that is not below its size, two launchers that contradict.
std::vector<Launcher> read_launchers();

// The same for where rank and size are already known: whoever is wrong is passed over.
std::vector<Launcher> read_launchers_leniently();

}  // namespace ps
