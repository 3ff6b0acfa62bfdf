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

// The same, for results that leave the caches: they are stored past them, so that what is overwritten is not read
// before. Later stores, a flag among them, come after the results. nullptr where the processor cannot, and for all but
// sums and averages of floats of 16 to 64 bits.
ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op);

// A reduction in parts: of some ranks' inputs, then of what those came to. Nothing is rounded between, so partial results
// of 8- and 16-bit floats are float32. Each kernel of one source takes one factor in `scales`.
struct PartialReduction {
  ReduceKernel widen = nullptr;    // an input, times its factor, to a partial result; nullptr: it is one as it is
  ReduceKernel combine = nullptr;  // partial results to one; takes factors where inputs are as they are and `op` has some
  ReduceKernel finish = nullptr;   // a partial result, divided by its factor, to a result; nullptr: it is one as it is
};

// Of what find_reduce_kernel has.
PartialReduction find_partial_reduction(psDataType dtype, psReduceOp op);

// Whether results may differ with the order in which inputs are combined: those of float sums and products.
bool depends_on_order(psDataType dtype, psReduceOp op);

// The instruction set in use: "baseline", "x86-64-v3", "x86-64-v4". PS_REDUCE_TARGET in the environment lowers it.
const char* reduce_target();

}  // namespace ps
