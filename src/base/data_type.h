// Sizes and names of the public enumerations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "parallelstate.h"

namespace ps {

// Indexed by the constant; 0 is none.
inline constexpr std::array<uint8_t, PS_BOOL + 1> kElementSizes = {0, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 1, 1, 1};

inline bool is_data_type(psDataType dtype) { return dtype >= PS_INT8 && dtype <= PS_BOOL; }
// 0 for what is no data type.
inline size_t element_size(psDataType dtype) { return is_data_type(dtype) ? kElementSizes[static_cast<size_t>(dtype)] : 0; }
// "float32", "float8_e4m3"; "data type 99" for an unknown number.
std::string data_type_name(psDataType dtype);

// A built-in constant, not PS_PREMUL_SUM.
inline bool is_reduce_op(psReduceOp op) { return op >= PS_SUM && op <= PS_LOGICAL_XOR; }
// "sum", "premul_sum"; "reduction 99" for an unknown number.
std::string reduce_op_name(psReduceOp op);

}  // namespace ps
