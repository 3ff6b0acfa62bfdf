// A random mix of operations in which every rank knows what every other contributes, so that any result can be checked.
#pragma once

#include <cstdint>

#include "parallelstate.h"

namespace faults {

// Runs operation `step` of the mix that `seed` stands for, the same on all ranks of the group. Ends the rank where the
// operation succeeds with wrong data.
psResult run_mixed(psGroup group, uint64_t seed, uint64_t step);

}  // namespace faults
