// All_reduce over buffers that all members lend: each rank sums its share of all inputs and writes it into all outputs.
// One pass, no slot and no ring; a share of an output is written by one rank only, after it has read that share of the
// input, so outputs may lie over inputs.
#pragma once

#include "host/shm/direct.h"

namespace ps {

// This rank's share, whole. To be called when every member has arrived and lends. False: see Direct::touch.
bool direct_all_reduce(Board& board, Direct& direct, const Call& call, uint64_t sequence);

}  // namespace ps
