// The reduction kernels of each instruction set; kernels.cc is compiled once for each.
#pragma once

#include "host/reduce/reduce.h"

namespace ps {

namespace baseline {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
}

#if defined(__x86_64__)
namespace v3 {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
}

namespace v4 {
ReduceKernel find_kernel(psDataType dtype, psReduceOp op);
}
#endif

}  // namespace ps
