#include "base/data_type.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

namespace ps {
namespace {

struct DataType {
  size_t size;
  std::string_view name;
};

// Indexed by the constant; 0 is none.
constexpr std::array<DataType, 16> kDataTypes = {{
    {0, ""},
    {1, "int8"},
    {2, "int16"},
    {4, "int32"},
    {8, "int64"},
    {1, "uint8"},
    {2, "uint16"},
    {4, "uint32"},
    {8, "uint64"},
    {2, "float16"},
    {2, "bfloat16"},
    {4, "float32"},
    {8, "float64"},
    {1, "float8_e4m3"},
    {1, "float8_e5m2"},
    {1, "bool"},
}};
static_assert(kDataTypes.size() == PS_BOOL + 1);

constexpr std::array<std::string_view, 13> kReduceOps = {"",       "sum",         "product",    "min",
                                                         "max",    "avg",         "bit_and",    "bit_or",
                                                         "bit_xor", "logical_and", "logical_or", "logical_xor",
                                                         "premul_sum"};
static_assert(kReduceOps.size() == PS_PREMUL_SUM + 1);

}  // namespace

bool is_data_type(psDataType dtype) { return dtype >= PS_INT8 && dtype <= PS_BOOL; }

size_t element_size(psDataType dtype) { return is_data_type(dtype) ? kDataTypes[dtype].size : 0; }

std::string data_type_name(psDataType dtype) {
  if (!is_data_type(dtype)) return fmt::format("data type {}", dtype);
  return std::string(kDataTypes[dtype].name);
}

bool is_reduce_op(psReduceOp op) { return op >= PS_SUM && op <= PS_LOGICAL_XOR; }

std::string reduce_op_name(psReduceOp op) {
  if (!is_reduce_op(op) && op != PS_PREMUL_SUM) return fmt::format("reduction {}", op);
  return std::string(kReduceOps[op]);
}

}  // namespace ps
