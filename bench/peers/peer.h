// What the programs that measure peers have in common: their arguments, their buffers, one round of the measurement,
// and the line of JSON for each size. A peer adds how its ranks come to be and what its operations are called.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "measure/rounds.h"
#include "measure/shape.h"
#include "measure/subject.h"

namespace peers {

struct Work {
  int ranks = 2;
  std::vector<measure::Shape> points;
  std::string shared;  // a fresh path under /dev/shm, at which the ranks find the memory to measure with
  measure::Plan plan;
};

// --op OP --ranks N --sizes 8,1024 --shared PATH [--seconds S]; a barrier needs no sizes. Ends the program when it does
// not understand them.
Work work_of(int argc, char** argv);

using Make = std::function<std::unique_ptr<measure::Subject>(void* send, void* recv)>;

// One rank's part of the work, on a processor of its own where there are enough; rank 0 prints. Returns the
// exit status.
int measure_rank(const Work& work, int rank, const std::string& name, const Make& make);

// For libraries without a launcher: runs `body` in a process for each rank. Returns the worst exit status.
int fork_ranks(int ranks, const std::function<int(int rank)>& body);

}  // namespace peers
