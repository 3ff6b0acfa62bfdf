#include "base/data_type.h"

#include <gtest/gtest.h>

#include <set>

namespace ps {
namespace {

TEST(DataType, SizesAreThoseOfTheNames) {
  for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
    ASSERT_TRUE(is_data_type(dtype));
    const std::string name = data_type_name(dtype);
    const size_t expected = dtype == PS_BOOL ? 1 : std::stoul(name.substr(name.find_first_of("12346789"))) / 8;
    EXPECT_EQ(element_size(dtype), expected) << name;
  }
}

TEST(DataType, NamesAreDistinctAndOfTheRightConstant) {
  std::set<std::string> names;
  for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) names.insert(data_type_name(dtype));
  EXPECT_EQ(names.size(), 15u);
  EXPECT_EQ(data_type_name(PS_INT64), "int64");
  EXPECT_EQ(data_type_name(PS_UINT8), "uint8");
  EXPECT_EQ(data_type_name(PS_FLOAT8_E4M3), "float8_e4m3");
  EXPECT_EQ(data_type_name(PS_FLOAT8_E5M2), "float8_e5m2");
  EXPECT_EQ(data_type_name(PS_BOOL), "bool");
}

TEST(DataType, OtherNumbersHaveNoSizeAndAreNamedByNumber) {
  for (psDataType dtype : {-1, 0, 16, 99}) {
    EXPECT_FALSE(is_data_type(dtype));
    EXPECT_EQ(element_size(dtype), 0u);
    EXPECT_EQ(data_type_name(dtype), "data type " + std::to_string(dtype));
  }
}

TEST(ReduceOp, NamesAreDistinctAndOfTheRightConstant) {
  std::set<std::string> names;
  for (psReduceOp op = PS_SUM; op <= PS_PREMUL_SUM; ++op) names.insert(reduce_op_name(op));
  EXPECT_EQ(names.size(), 12u);
  EXPECT_EQ(reduce_op_name(PS_SUM), "sum");
  EXPECT_EQ(reduce_op_name(PS_AVG), "avg");
  EXPECT_EQ(reduce_op_name(PS_BIT_XOR), "bit_xor");
  EXPECT_EQ(reduce_op_name(PS_LOGICAL_XOR), "logical_xor");
  EXPECT_EQ(reduce_op_name(PS_PREMUL_SUM), "premul_sum");
}

TEST(ReduceOp, OnlyTheBuiltInConstantsAreReductions) {
  EXPECT_TRUE(is_reduce_op(PS_SUM));
  EXPECT_TRUE(is_reduce_op(PS_LOGICAL_XOR));
  for (psReduceOp op : {psReduceOp{-1}, psReduceOp{0}, psReduceOp{PS_PREMUL_SUM}, psReduceOp{13}, psReduceOp{65536}}) {
    EXPECT_FALSE(is_reduce_op(op));
  }
  EXPECT_EQ(reduce_op_name(99), "reduction 99");
  EXPECT_EQ(reduce_op_name(65536), "reduction 65536");
}

}  // namespace
}  // namespace ps
