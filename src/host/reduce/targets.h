// The instruction sets that the reduction kernels are compiled for.
#pragma once

#include <span>

#include "host/reduce/reduce.h"

namespace ps {

struct ReduceTarget {
  const char* name;
  ReduceKernel (*find_kernel)(psDataType dtype, psReduceOp op);
  ReduceKernel (*find_streaming_kernel)(psDataType dtype, psReduceOp op);
  ReduceKernel (*find_widening)(psDataType dtype);
  ReduceKernel (*find_finishing)(psDataType dtype);
  bool (*is_supported)();
};

// Those that this processor supports, lowest first; "baseline" always.
std::span<const ReduceTarget> supported_reduce_targets();

// The highest supported target that is not above the one named; a name may be of a target not supported here.
// nullptr: the highest. Errors: ARGUMENT listing the names.
const ReduceTarget& choose_reduce_target(const char* highest);

}  // namespace ps
