// The conversions to and from partial results: the same bits on every target, and back where they came from.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "host/reduce/targets.h"

namespace ps {
namespace {

constexpr size_t kCount = 70'001;

// Any bits: of 16, all there are.
std::vector<std::byte> any_bits() {
  std::vector<std::byte> bytes(kCount * sizeof(uint64_t));
  std::mt19937_64 random(7);
  for (size_t i = 0; i < kCount; ++i) {
    const uint64_t word = random();
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  for (size_t i = 0; i < 65'536; ++i) {
    const auto word = static_cast<uint16_t>(i);
    std::memcpy(bytes.data() + i * sizeof word, &word, sizeof word);
  }
  return bytes;
}

std::vector<std::byte> convert(ReduceKernel kernel, const std::vector<std::byte>& from, double factor) {
  std::vector<std::byte> to(kCount * sizeof(uint64_t));
  const void* const source = from.data();
  kernel(to.data(), &source, 1, kCount, &factor);
  return to;
}

TEST(Conversion, GivesTheSameBitsOnEveryTarget) {
  const std::vector<std::byte> bits = any_bits();
  const ReduceTarget& baseline = supported_reduce_targets()[0];
  for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
    for (const ReduceTarget& target : supported_reduce_targets()) {
      for (auto find : {&ReduceTarget::find_widening, &ReduceTarget::find_finishing}) {
        ASSERT_EQ((target.*find)(dtype) != nullptr, (baseline.*find)(dtype) != nullptr);
        if ((target.*find)(dtype) == nullptr) continue;
        EXPECT_EQ(convert((target.*find)(dtype), bits, 3.0), convert((baseline.*find)(dtype), bits, 3.0))
            << target.name << " type " << dtype;
      }
    }
    EXPECT_EQ(baseline.find_finishing(dtype) != nullptr, dtype != PS_BOOL);
  }
}

TEST(Conversion, EveryNarrowFloatComesBackFromFloat32) {
  const std::vector<std::byte> bits = any_bits();
  for (const psDataType dtype : {PS_FLOAT16, PS_BFLOAT16, PS_FLOAT8_E4M3, PS_FLOAT8_E5M2}) {
    const bool half = dtype == PS_FLOAT16 || dtype == PS_BFLOAT16;
    const auto back = convert(supported_reduce_targets()[0].find_finishing(dtype),
                              convert(supported_reduce_targets()[0].find_widening(dtype), bits, 1.0), 1.0);
    size_t other = 0;  // not a number: one stands for all
    for (size_t i = 0; i < 65'536; ++i) {
      other += std::memcmp(bits.data() + (half ? 2 * i : i), back.data() + (half ? 2 * i : i), half ? 2 : 1) != 0 ? 1 : 0;
    }
    const size_t most = dtype == PS_FLOAT16 ? 2 * 1023 : dtype == PS_BFLOAT16 ? 2 * 127 : 65'536 / 128 * 3;
    EXPECT_LE(other, most) << "type " << dtype;
  }
}

}  // namespace
}  // namespace ps
