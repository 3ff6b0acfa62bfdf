// The reduction kernels whose results leave the caches: the same bits as those of the others, at every place in a line,
// and nothing beside them.
#include <gtest/gtest.h>

#include <iterator>
#include <random>
#include <vector>

#include "base/data_type.h"
#include "host/reduce/targets.h"

namespace ps {
namespace {

constexpr size_t kGuard = 64;
constexpr size_t kWidest = 8;  // bytes of an element
// Shorter than a line of any type, a block and a bit, and more than what is summed in one block of the plain loops.
constexpr size_t kCounts[] = {0, 1, 7, 255, 257, 1024, 9001};

// Of floats none that is infinite or no number, whose bits could depend on which operand comes first.
std::vector<std::byte> draw(size_t bytes, std::mt19937& random) {
  std::vector<std::byte> made(bytes);
  for (std::byte& byte : made) byte = static_cast<std::byte>(random() & 0x3f);
  return made;
}

using Inputs = std::vector<std::vector<std::byte>>;

void expect_same(const ReduceTarget& target, psDataType dtype, psReduceOp op, const Inputs& inputs, size_t source_count,
                 size_t count, size_t offset) {
  std::vector<const void*> sources;
  const std::vector<double> scales(source_count, 0.5);
  for (size_t i = 0; i < source_count; ++i) sources.push_back(inputs[i].data() + offset % 8);
  std::vector<std::byte> plain(count * kWidest + 2 * kGuard, std::byte{0xa5});
  std::vector<std::byte> streamed = plain;
  target.find_kernel(dtype, op)(plain.data() + offset, sources.data(), source_count, count, scales.data());
  target.find_streaming_kernel(dtype, op)(streamed.data() + offset, sources.data(), source_count, count, scales.data());
  ASSERT_EQ(streamed, plain) << target.name << ", type " << dtype << ", operation " << op << ", " << source_count
                             << " sources, " << count << " elements at +" << offset;
}

TEST(StreamingReduce, GivesTheBitsOfThePlainKernelsEverywhere) {
  std::mt19937 random(20261122);
  Inputs inputs;
  for (int i = 0; i < 5; ++i) inputs.push_back(draw(kCounts[std::size(kCounts) - 1] * kWidest + kGuard, random));
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
      for (psReduceOp op = PS_SUM; op <= PS_PREMUL_SUM; ++op) {
        if (target.find_streaming_kernel(dtype, op) == nullptr) continue;
        for (const size_t source_count : {1, 2, 3, 4, 5}) {
          for (const size_t count : kCounts) {
            for (const size_t offset : {0, 1, 8, 40}) {
              ASSERT_NO_FATAL_FAILURE(expect_same(target, dtype, op, inputs, source_count, count, offset));
            }
          }
        }
      }
    }
  }
}

TEST(StreamingReduce, ReducesIntoASource) {
  std::mt19937 random(7);
  constexpr size_t kBytes = 40'000;
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (const psDataType dtype : {PS_FLOAT32, PS_FLOAT16, PS_FLOAT64}) {
      const ReduceKernel streaming = target.find_streaming_kernel(dtype, PS_SUM);
      if (streaming == nullptr) continue;
      const size_t count = kBytes / element_size(dtype);
      for (const size_t source_count : {2, 3, 4, 5}) {
        for (size_t place = 0; place < source_count; ++place) {
          Inputs inputs;
          std::vector<const void*> sources;
          for (size_t i = 0; i < source_count; ++i) inputs.push_back(draw(kBytes, random));
          for (const auto& input : inputs) sources.push_back(input.data());
          std::vector<std::byte> expected(kBytes);
          target.find_kernel(dtype, PS_SUM)(expected.data(), sources.data(), source_count, count, nullptr);
          streaming(inputs[place].data(), sources.data(), source_count, count, nullptr);
          EXPECT_EQ(inputs[place], expected) << target.name << ", type " << dtype << ", into source " << place << " of " << source_count;
        }
      }
    }
  }
}

// Or for nothing, where a processor cannot.
TEST(StreamingReduce, ExistsForSumsAndAveragesOfFloats) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    const bool can = target.find_streaming_kernel(PS_FLOAT32, PS_SUM) != nullptr;
    for (psDataType dtype = -1; dtype <= 17; ++dtype) {
      for (psReduceOp op = -1; op <= 14; ++op) {
        const bool is_wide = dtype == PS_FLOAT16 || dtype == PS_BFLOAT16 || dtype == PS_FLOAT32 || dtype == PS_FLOAT64;
        const bool is_large_work = is_wide && (op == PS_SUM || op == PS_AVG);
        EXPECT_EQ(target.find_streaming_kernel(dtype, op) != nullptr, can && is_large_work) << dtype << ", " << op;
      }
    }
  }
}

}  // namespace
}  // namespace ps
