// Sizes and names of the public enumerations.
#pragma once

#include <cstddef>
#include <string>

#include "parallelstate.h"

namespace ps {

bool is_data_type(psDataType dtype);
// 0 for what is no data type.
size_t element_size(psDataType dtype);
// "float32", "float8_e4m3"; "data type 99" for an unknown number.
std::string data_type_name(psDataType dtype);

bool is_reduce_op(psReduceOp op);  // a built-in constant, not PS_PREMUL_SUM
// "sum", "premul_sum"; "reduction 99" for an unknown number.
std::string reduce_op_name(psReduceOp op);

}  // namespace ps
