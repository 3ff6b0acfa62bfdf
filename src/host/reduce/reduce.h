// Reduction of several buffers into one, in the order given, with the arithmetic of the table at psReduceOp. The
// kernels exist once for each instruction set and are chosen at first use by CPUID; all give the same bits.
#pragma once

#include <cstddef>

#include "parallelstate.h"

namespace ps {

// destination[i] = sources[0][i] op sources[1][i] op ... , folded from the left. The destination may be one of the
// sources, exactly; no other overlap. `source_count` >= 1. `scales` is read by PS_PREMUL_SUM alone: one factor a source,
// float32 values except for PS_FLOAT64. PS_AVG divides by `source_count`.
using ReduceKernel = void (*)(void* destination, const void* const* sources, size_t source_count, size_t count,
                              const double* scales);

// nullptr where the type cannot be reduced so. `op` is a psReduceOp constant or PS_PREMUL_SUM.
ReduceKernel find_reduce_kernel(psDataType dtype, psReduceOp op);

// The instruction set in use: "baseline", "x86-64-v3", "x86-64-v4". PS_REDUCE_TARGET in the environment lowers it.
const char* reduce_target();

}  // namespace ps
