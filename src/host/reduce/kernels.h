// The reduction kernels of each instruction set; kernels.cc is compiled once for each.
#pragma once

#include "host/reduce/reduce.h"

namespace ps {

// find_widening: one source of 8- or 16-bit floats, times its factor, as float32. find_finishing: one source of partial
// results, divided by its factor, as `dtype`. nullptr for types that have none.
namespace baseline {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_widening(psDataType dtype);
ReduceKernel find_finishing(psDataType dtype);
}

#if defined(__x86_64__)
namespace v3 {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_widening(psDataType dtype);
ReduceKernel find_finishing(psDataType dtype);
}

namespace v4 {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_streaming_kernel(psDataType dtype, psReduceOp op);
ReduceKernel find_widening(psDataType dtype);
ReduceKernel find_finishing(psDataType dtype);
}
#endif

}  // namespace ps
