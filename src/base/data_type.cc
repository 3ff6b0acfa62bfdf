#include "base/data_type.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace ps {
namespace {

// Indexed by the constant; 0 is none.
constexpr std::array<std::string_view, PS_BOOL + 1> kDataTypes = {
    "",       "int8",   "int16",   "int32",    "int64",   "uint8",   "uint16",      "uint32",
    "uint64", "float16", "bfloat16", "float32", "float64", "float8_e4m3", "float8_e5m2", "bool"};
static_assert(kElementSizes.size() == kDataTypes.size());

constexpr std::array<std::string_view, 13> kReduceOps = {"",       "sum",         "product",    "min",
                                                         "max",    "avg",         "bit_and",    "bit_or",
                                                         "bit_xor", "logical_and", "logical_or", "logical_xor",
                                                         "premul_sum"};
static_assert(kReduceOps.size() == PS_PREMUL_SUM + 1);

}  // namespace

std::string data_type_name(psDataType dtype) {
  if (!is_data_type(dtype)) return fmt::format("data type {}", dtype);
  return std::string(kDataTypes[dtype]);
}

std::string reduce_op_name(psReduceOp op) {
  if (!is_reduce_op(op) && op != PS_PREMUL_SUM) return fmt::format("reduction {}", op);
  return std::string(kReduceOps[op]);
}

}  // namespace ps
