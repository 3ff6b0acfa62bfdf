// Every type and reduction, on every instruction set of this machine, against a reference that works on one element at
// a time: numbers are decoded by ldexp, and rounded by looking for the nearest one among all of the format.
#include "host/reduce/reduce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "base/data_type.h"
#include "base/error.h"
#include "host/reduce/targets.h"

namespace ps {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// An element of any type, as its bits.
using Code = uint64_t;

struct Format {
  int exponent_bits;
  int fraction_bits;
  bool has_infinity;
  Code nan;  // what a computed NaN is written as
};

std::optional<Format> float_format(psDataType dtype) {
  switch (dtype) {
    case PS_FLOAT8_E4M3:
      return Format{4, 3, false, 0x7f};
    case PS_FLOAT8_E5M2:
      return Format{5, 2, true, 0x7f};
    case PS_FLOAT16:
      return Format{5, 10, true, 0x7e00};
    case PS_BFLOAT16:
      return Format{8, 7, true, 0x7fc0};
    case PS_FLOAT32:
      return Format{8, 23, true, 0x7fc00000};
    case PS_FLOAT64:
      return Format{11, 52, true, 0x7ff8000000000000};
    default:
      return std::nullopt;
  }
}

bool is_signed_integer(psDataType dtype) { return dtype >= PS_INT8 && dtype <= PS_INT64; }
bool is_integer(psDataType dtype) { return dtype >= PS_INT8 && dtype <= PS_UINT64; }
int bits_of(psDataType dtype) { return static_cast<int>(8 * element_size(dtype)); }
Code mask_of(psDataType dtype) { return bits_of(dtype) == 64 ? ~Code{0} : (Code{1} << bits_of(dtype)) - 1; }

double decode(const Format& format, Code code) {
  const Code fraction = code & ((Code{1} << format.fraction_bits) - 1);
  const int top = (1 << format.exponent_bits) - 1;
  const int exponent = static_cast<int>(code >> format.fraction_bits) & top;
  const int bias = top / 2;
  const double sign = code >> (format.exponent_bits + format.fraction_bits) & 1 ? -1.0 : 1.0;
  if (format.has_infinity && exponent == top) return fraction == 0 ? sign * kInfinity : kNan;
  if (!format.has_infinity && exponent == top && fraction == (Code{1} << format.fraction_bits) - 1) return kNan;
  const Code leading = exponent == 0 ? 0 : Code{1} << format.fraction_bits;
  const int scale = std::max(exponent, 1) - bias - format.fraction_bits;
  return sign * std::ldexp(static_cast<double>(leading | fraction), scale);
}

// All finite numbers of a narrow format from 0 up; the index is the code.
std::vector<double> finite_numbers(const Format& format) {
  std::vector<double> numbers;
  for (Code code = 0;; ++code) {
    const double number = decode(format, code);
    if (!std::isfinite(number)) return numbers;
    numbers.push_back(number);
  }
}

const std::vector<double>& finite_numbers(psDataType dtype) {
  static const std::vector<double> e4m3 = finite_numbers(*float_format(PS_FLOAT8_E4M3));
  static const std::vector<double> e5m2 = finite_numbers(*float_format(PS_FLOAT8_E5M2));
  static const std::vector<double> float16 = finite_numbers(*float_format(PS_FLOAT16));
  static const std::vector<double> bfloat16 = finite_numbers(*float_format(PS_BFLOAT16));
  return dtype == PS_FLOAT8_E4M3 ? e4m3 : dtype == PS_FLOAT8_E5M2 ? e5m2 : dtype == PS_FLOAT16 ? float16 : bfloat16;
}

Code round_to(psDataType dtype, double value) {
  const Format format = *float_format(dtype);
  if (std::isnan(value)) return format.nan;
  if (dtype == PS_FLOAT64) {
    Code code;
    std::memcpy(&code, &value, sizeof(code));
    return code;
  }
  if (dtype == PS_FLOAT32) {
    const float single = static_cast<float>(value);
    uint32_t code;
    std::memcpy(&code, &single, sizeof(code));
    return code;
  }
  const std::vector<double>& numbers = finite_numbers(dtype);
  const double magnitude = std::fabs(value);
  const Code last = numbers.size() - 1;
  const Code above = static_cast<Code>(std::lower_bound(numbers.begin(), numbers.end(), magnitude) - numbers.begin());
  Code nearest;
  if (above > last) {
    // Halfway to what would be the next number, all is infinity.
    const double limit = numbers[last] + (numbers[last] - numbers[last - 1]) / 2;
    nearest = format.has_infinity && magnitude >= limit ? last + 1 : last;
  } else if (above == 0) {
    nearest = 0;
  } else {
    const double up = numbers[above] - magnitude;
    const double down = magnitude - numbers[above - 1];
    nearest = up < down || (up == down && above % 2 == 0) ? above : above - 1;
  }
  return nearest | Code{std::signbit(value)} << (bits_of(dtype) - 1);
}

bool is_defined(psDataType dtype, psReduceOp op) {
  switch (op) {
    case PS_SUM:
    case PS_PRODUCT:
    case PS_MIN:
    case PS_MAX:
    case PS_AVG:
      return is_integer(dtype) || float_format(dtype);
    case PS_PREMUL_SUM:
      return float_format(dtype).has_value();
    case PS_BIT_AND:
    case PS_BIT_OR:
    case PS_BIT_XOR:
      return is_integer(dtype);
    case PS_LOGICAL_AND:
    case PS_LOGICAL_OR:
    case PS_LOGICAL_XOR:
      return dtype == PS_BOOL;
    default:
      return false;
  }
}

// The accumulator is float32 but for float64: each step, exact or innocuously rounded in double, is rounded once more.
double accumulated(psDataType dtype, double value) {
  return dtype == PS_FLOAT64 ? value : static_cast<double>(static_cast<float>(value));
}

Code reduce_floats(psDataType dtype, psReduceOp op, const std::vector<Code>& inputs, const double* scales) {
  const Format format = *float_format(dtype);
  double result = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    double next = decode(format, inputs[i]);
    if (op == PS_PREMUL_SUM) {
      // Through a volatile, that no fused multiply-add replaces the two roundings.
      volatile double product = next * accumulated(dtype, scales[i]);
      next = accumulated(dtype, product);
    }
    if (i == 0) {
      result = next;
    } else if (op == PS_PRODUCT) {
      result = accumulated(dtype, result * next);
    } else if (op == PS_MIN || op == PS_MAX) {
      const bool is_less = next < result || (next == result && std::signbit(next) && !std::signbit(result));
      const bool is_greater = next > result || (next == result && !std::signbit(next) && std::signbit(result));
      if (!std::isnan(result) && (std::isnan(next) || (op == PS_MIN ? is_less : is_greater))) result = next;
    } else {
      result = accumulated(dtype, result + next);
    }
  }
  if (op == PS_AVG) result = accumulated(dtype, result / static_cast<double>(inputs.size()));
  return round_to(dtype, result);
}

__int128 integer_value(psDataType dtype, Code code) {
  const bool negative = is_signed_integer(dtype) && code >> (bits_of(dtype) - 1) & 1;
  return static_cast<__int128>(code) - (negative ? static_cast<__int128>(1) << bits_of(dtype) : 0);
}

Code reduce_integers(psDataType dtype, psReduceOp op, const std::vector<Code>& inputs) {
  Code result = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) {
    const Code next = inputs[i];
    const bool is_less = integer_value(dtype, next) < integer_value(dtype, result);
    if (op == PS_SUM || op == PS_AVG) result = (result + next) & mask_of(dtype);
    if (op == PS_PRODUCT) result = (result * next) & mask_of(dtype);
    if (op == PS_MIN) result = is_less ? next : result;
    if (op == PS_MAX) result = is_less ? result : next;
    if (op == PS_BIT_AND) result &= next;
    if (op == PS_BIT_OR) result |= next;
    if (op == PS_BIT_XOR) result ^= next;
  }
  if (op != PS_AVG) return result;
  return static_cast<Code>(integer_value(dtype, result) / static_cast<__int128>(inputs.size())) & mask_of(dtype);
}

Code reduce_bools(psReduceOp op, const std::vector<Code>& inputs) {
  const auto trues = std::count_if(inputs.begin(), inputs.end(), [](Code code) { return code != 0; });
  if (op == PS_LOGICAL_AND) return trues == static_cast<ptrdiff_t>(inputs.size());
  return op == PS_LOGICAL_OR ? trues > 0 : trues % 2;
}

Code reference(psDataType dtype, psReduceOp op, const std::vector<Code>& inputs, const double* scales) {
  if (dtype == PS_BOOL) return reduce_bools(op, inputs);
  if (inputs.size() == 1 && op != PS_PREMUL_SUM) return inputs[0];
  return is_integer(dtype) ? reduce_integers(dtype, op, inputs) : reduce_floats(dtype, op, inputs, scales);
}

using Bytes = std::vector<unsigned char>;

Bytes pack(psDataType dtype, const std::vector<Code>& codes) {
  const size_t size = element_size(dtype);
  Bytes bytes(codes.size() * size);
  for (size_t i = 0; i < codes.size(); ++i) {
    for (size_t byte = 0; byte < size; ++byte) {
      bytes[i * size + byte] = static_cast<unsigned char>(codes[i] >> 8 * byte);
    }
  }
  return bytes;
}

std::vector<Code> unpack(psDataType dtype, const Bytes& bytes) {
  const size_t size = element_size(dtype);
  std::vector<Code> codes(bytes.size() / size);
  for (size_t i = 0; i < bytes.size(); ++i) codes[i / size] |= Code{bytes[i]} << 8 * (i % size);
  return codes;
}

std::vector<Code> run(const ReduceTarget& target, psDataType dtype, psReduceOp op,
                      const std::vector<std::vector<Code>>& inputs, const double* scales = nullptr) {
  std::vector<Bytes> buffers;
  std::vector<const void*> sources;
  for (const auto& input : inputs) buffers.push_back(pack(dtype, input));
  for (const Bytes& buffer : buffers) sources.push_back(buffer.data());
  Bytes result(buffers[0].size(), 0xcd);
  const size_t count = inputs[0].size();
  target.find_kernel(dtype, op)(result.data(), sources.data(), sources.size(), count, scales);
  return unpack(dtype, result);
}

Code run_one(const ReduceTarget& target, psDataType dtype, psReduceOp op, const std::vector<Code>& inputs) {
  std::vector<std::vector<Code>> each;
  // More than a vector's worth of the same, so that the vectorised loop is what is tested.
  for (const Code input : inputs) each.emplace_back(67, input);
  const std::vector<Code> results = run(target, dtype, op, each);
  for (const Code result : results) EXPECT_EQ(result, results[0]);
  return results[0];
}

// Any bits at all, ordinary numbers, and the corners of the type.
std::vector<Code> draw(psDataType dtype, size_t count, std::mt19937_64& random) {
  const Code mask = mask_of(dtype);
  const Code top = (mask >> 1) + 1;
  std::vector<Code> corners = {0, 1, top, top | 1, mask, mask >> 1, mask - 1};
  const auto format = float_format(dtype);
  if (format) {
    const Code one = Code((1 << (format->exponent_bits - 1)) - 1) << format->fraction_bits;
    const Code normal = Code{1} << format->fraction_bits;
    const Code nan = dtype == PS_FLOAT8_E4M3 ? 0x7f : Code((1 << format->exponent_bits) - 1) << format->fraction_bits;
    for (const Code code : {one, normal, normal - 1, nan, nan - 1, nan + 1}) {
      corners.push_back(code & mask);
      corners.push_back((code | top) & mask);
    }
  }
  std::vector<Code> codes(count);
  for (Code& code : codes) {
    const uint64_t choice = random() % 8;
    if (choice == 0) {
      code = corners[random() % corners.size()];
    } else if (format && choice < 6) {
      const double ordinary = std::ldexp(static_cast<double>(static_cast<int64_t>(random() % 4001) - 2000), -7);
      code = round_to(dtype, ordinary);
    } else {
      code = random() & mask;
    }
  }
  return codes;
}

constexpr size_t kMostCount = 1025;
constexpr size_t kCounts[] = {0, 1, 7, 255, 256, 257, 511, 513, 1024, kMostCount};

struct Case {
  psDataType dtype;
  psReduceOp op;
  std::vector<std::vector<Code>> inputs;
  std::vector<double> scales;
  std::vector<Code> expected;
};

Case make_case(psDataType dtype, psReduceOp op, size_t source_count, std::mt19937_64& random) {
  Case made{dtype, op, {}, {}, {}};
  const double scales[] = {0.1, -2.0, 1.0, 0.333, 1e-3};
  for (size_t i = 0; i < source_count; ++i) {
    made.inputs.push_back(draw(dtype, kMostCount, random));
    made.scales.push_back(scales[i]);
  }
  for (size_t element = 0; element < kMostCount; ++element) {
    std::vector<Code> column;
    for (const auto& input : made.inputs) column.push_back(input[element]);
    made.expected.push_back(reference(dtype, op, column, made.scales.data()));
  }
  return made;
}

// The destination is `place`, a source, or a buffer of its own where place is the number of sources. Each buffer starts
// `misalignment` bytes into its memory and is followed by a guard.
void check(const ReduceTarget& target, const Case& c, size_t count, size_t place, size_t misalignment) {
  constexpr unsigned char kGuard = 0xa5;
  const size_t source_count = c.inputs.size();
  const size_t bytes = count * element_size(c.dtype);
  std::vector<Bytes> buffers;
  for (const auto& input : c.inputs) {
    Bytes buffer(misalignment, kGuard);
    const Bytes packed = pack(c.dtype, {input.begin(), input.begin() + static_cast<ptrdiff_t>(count)});
    buffer.insert(buffer.end(), packed.begin(), packed.end());
    buffer.resize(misalignment + bytes + 16, kGuard);
    buffers.push_back(std::move(buffer));
  }
  buffers.emplace_back(misalignment + bytes + 16, kGuard);
  const std::vector<Bytes> before = buffers;

  std::vector<const void*> sources;
  for (size_t i = 0; i < source_count; ++i) sources.push_back(buffers[i].data() + misalignment);
  const double* scales = c.op == PS_PREMUL_SUM ? c.scales.data() : nullptr;
  target.find_kernel(c.dtype, c.op)(buffers[place].data() + misalignment, sources.data(), source_count, count, scales);

  for (size_t i = 0; i <= source_count; ++i) {
    Bytes expected = before[i];
    if (i == place) {
      const Bytes packed = pack(c.dtype, {c.expected.begin(), c.expected.begin() + static_cast<ptrdiff_t>(count)});
      std::copy(packed.begin(), packed.end(), expected.begin() + static_cast<ptrdiff_t>(misalignment));
    }
    if (buffers[i] == expected) continue;
    const auto at = std::mismatch(buffers[i].begin(), buffers[i].end(), expected.begin()).first - buffers[i].begin();
    const auto element = (static_cast<size_t>(at) - misalignment) / element_size(c.dtype);
    std::string inputs;
    for (const auto& input : c.inputs) inputs += element < count ? fmt::format(" {:#x}", input[element]) : "";
    FAIL() << target.name << " " << reduce_op_name(c.op) << " of " << source_count << " " << data_type_name(c.dtype)
           << ", " << count << " elements into buffer " << place << ": buffer " << i << " is wrong at element "
           << element << " with inputs" << inputs;
  }
}

TEST(Reduce, IsTheReferenceForEveryTypeOperationCountAndPlace) {
  std::mt19937_64 random(20240229);
  for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
    for (psReduceOp op = PS_SUM; op <= PS_PREMUL_SUM; ++op) {
      if (!is_defined(dtype, op)) continue;
      for (size_t source_count : {1, 2, 3, 4, 5}) {
        const Case c = make_case(dtype, op, source_count, random);
        for (const ReduceTarget& target : supported_reduce_targets()) {
          for (size_t place = 0; place <= source_count; ++place) {
            for (size_t count : kCounts) ASSERT_NO_FATAL_FAILURE(check(target, c, count, place, 0));
            ASSERT_NO_FATAL_FAILURE(check(target, c, 257, place, 1));
          }
        }
      }
    }
  }
}

// All sources as one part: the same order, so the same bits, and the conversions must lose nothing.
TEST(Reduce, InPartsComesToTheSame) {
  std::mt19937_64 random(20261121);
  for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
    for (psReduceOp op = PS_SUM; op <= PS_PREMUL_SUM; ++op) {
      if (!is_defined(dtype, op)) continue;
      for (const size_t source_count : {1, 2, 3, 5}) {
        const Case c = make_case(dtype, op, source_count, random);
        const PartialReduction parts = find_partial_reduction(dtype, op);
        const size_t element = parts.widen != nullptr ? sizeof(float) : element_size(dtype);
        std::vector<Bytes> inputs;
        std::vector<const void*> sources;
        for (size_t i = 0; i < source_count; ++i) {
          inputs.push_back(pack(dtype, c.inputs[i]));
          if (parts.widen == nullptr) continue;
          const Bytes narrow = std::move(inputs.back());
          const void* const source = narrow.data();
          inputs.back() = Bytes(kMostCount * element);
          const double one = 1.0;
          parts.widen(inputs.back().data(), &source, 1, kMostCount, op == PS_PREMUL_SUM ? &c.scales[i] : &one);
        }
        for (const Bytes& input : inputs) sources.push_back(input.data());
        Bytes partial(kMostCount * element);
        parts.combine(partial.data(), sources.data(), source_count, kMostCount, c.scales.data());
        Bytes result = partial;
        if (parts.finish != nullptr) {
          result.resize(kMostCount * element_size(dtype));
          const void* const source = partial.data();
          const double divisor = op == PS_AVG ? static_cast<double>(source_count) : 1.0;
          parts.finish(result.data(), &source, 1, kMostCount, &divisor);
        }
        Bytes whole(result.size());
        std::vector<Bytes> narrow;
        for (size_t i = 0; i < source_count; ++i) narrow.push_back(pack(dtype, c.inputs[i]));
        for (size_t i = 0; i < source_count; ++i) sources[i] = narrow[i].data();
        find_reduce_kernel(dtype, op)(whole.data(), sources.data(), source_count, kMostCount, c.scales.data());
        // One source alone is copied, also a NaN with its payload.
        if (source_count == 1 && float_format(dtype)) continue;
        ASSERT_EQ(unpack(dtype, result), unpack(dtype, whole))
            << data_type_name(dtype) << " " << reduce_op_name(op) << " of " << source_count;
      }
    }
  }
}

TEST(Reduce, SumsMoreElementsThanOneBlockOfEveryType) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (psDataType dtype = PS_INT8; dtype < PS_BOOL; ++dtype) {
      const size_t count = 10007;
      std::vector<Code> ramp(count);
      for (size_t i = 0; i < count; ++i) {
        ramp[i] = float_format(dtype) ? round_to(dtype, static_cast<double>(i % 5)) : i % 5;
      }
      const std::vector<Code> results = run(target, dtype, PS_SUM, {ramp, ramp, ramp, ramp});
      for (size_t i = 0; i < count; ++i) {
        const Code expected = float_format(dtype) ? round_to(dtype, 4.0 * static_cast<double>(i % 5)) : 4 * (i % 5);
        ASSERT_EQ(results[i], expected) << target.name << " " << data_type_name(dtype) << " element " << i;
      }
    }
  }
}

TEST(Reduce, HasKernelsForTheTableAlone) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (psDataType dtype = -1; dtype <= 17; ++dtype) {
      for (psReduceOp op = -1; op <= 14; ++op) {
        const bool expected = is_data_type(dtype) && is_defined(dtype, op);
        EXPECT_EQ(target.find_kernel(dtype, op) != nullptr, expected)
            << target.name << " " << data_type_name(dtype) << " " << reduce_op_name(op);
      }
    }
    EXPECT_EQ(target.find_kernel(PS_FLOAT32, 65536), nullptr);
  }
}

TEST(Reduce, EveryNarrowNumberSurvivesTheAccumulator) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (psDataType dtype : {PS_FLOAT16, PS_BFLOAT16, PS_FLOAT8_E4M3, PS_FLOAT8_E5M2}) {
      const Format format = *float_format(dtype);
      std::vector<Code> all(mask_of(dtype) + 1);
      for (Code code = 0; code < all.size(); ++code) all[code] = code;
      const std::vector<Code> ones(all.size(), round_to(dtype, 1.0));
      const std::vector<Code> results = run(target, dtype, PS_PRODUCT, {all, ones});
      for (const Code code : all) {
        const Code expected = std::isnan(decode(format, code)) ? format.nan : code;
        ASSERT_EQ(results[code], expected) << target.name << " " << data_type_name(dtype) << " " << code;
      }
      EXPECT_EQ(run(target, dtype, PS_SUM, {all}), all) << "one source is copied";
    }
  }
}

// A source of ones times a scale puts any float32 before the rounding: here every narrow number, every midpoint and the
// float32 neighbours of both, with each sign.
TEST(Reduce, NarrowFloatsRoundToNearestEven) {
  for (psDataType dtype : {PS_FLOAT16, PS_BFLOAT16, PS_FLOAT8_E4M3, PS_FLOAT8_E5M2}) {
    const std::vector<double>& numbers = finite_numbers(dtype);
    std::vector<float> values = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::max(),
                                 std::numeric_limits<float>::denorm_min(), 448.0f, 464.0f, 480.0f, 1e9f};
    for (size_t code = 0; code < numbers.size(); ++code) {
      const double next = code + 1 < numbers.size() ? numbers[code + 1] : 2 * numbers[code] - numbers[code - 1];
      for (const double value : {numbers[code], (numbers[code] + next) / 2}) {
        const float single = static_cast<float>(value);
        values.insert(values.end(), {single, std::nextafter(single, 0.0f),
                                     std::nextafter(single, std::numeric_limits<float>::infinity())});
      }
    }
    // 17 elements: the pack, the vector and the remainder.
    const Bytes ones = pack(dtype, std::vector<Code>(17, round_to(dtype, 1.0)));
    const void* source = ones.data();
    Bytes result(ones.size());
    for (const ReduceTarget& target : supported_reduce_targets()) {
      const ReduceKernel kernel = target.find_kernel(dtype, PS_PREMUL_SUM);
      for (const float magnitude : values) {
        for (const double scale : {double{magnitude}, -double{magnitude}}) {
          kernel(result.data(), &source, 1, 17, &scale);
          ASSERT_EQ(result, pack(dtype, std::vector<Code>(17, round_to(dtype, scale))))
              << target.name << " " << data_type_name(dtype) << " of " << scale;
        }
      }
    }
  }
}

TEST(Reduce, OverflowSaturatesE4m3AndIsInfinityElsewhere) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    EXPECT_EQ(run_one(target, PS_FLOAT8_E4M3, PS_SUM, {0x7e, 0x7e}), 0x7eu);
    EXPECT_EQ(run_one(target, PS_FLOAT8_E4M3, PS_SUM, {0xfe, 0xfe}), 0xfeu);
    EXPECT_EQ(run_one(target, PS_FLOAT8_E4M3, PS_SUM, {0x7e, 0x7f}), 0x7fu);
    // 448^15 is beyond float32: the accumulator is infinite.
    EXPECT_EQ(run_one(target, PS_FLOAT8_E4M3, PS_PRODUCT, std::vector<Code>(15, 0x7e)), 0x7eu);
    EXPECT_EQ(run_one(target, PS_FLOAT8_E5M2, PS_SUM, {0x7b, 0x7b}), 0x7cu);
    EXPECT_EQ(run_one(target, PS_FLOAT16, PS_SUM, {0xfbff, 0xfbff}), 0xfc00u);
    EXPECT_EQ(run_one(target, PS_BFLOAT16, PS_SUM, {0x7f7f, 0x7f7f}), 0x7f80u);
    EXPECT_EQ(run_one(target, PS_FLOAT16, PS_SUM, {0x7c00, 0xfc00}), 0x7e00u) << "infinity less infinity";
  }
}

TEST(Reduce, NarrowFloatsRoundOnceAtTheEnd) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    // 2048 + 1 + 1: rounded after each step, float16 would stay at 2048.
    EXPECT_EQ(run_one(target, PS_FLOAT16, PS_SUM, {0x6800, 0x3c00, 0x3c00}), 0x6801u);
    // The average of two of the largest: no overflow on the way.
    EXPECT_EQ(run_one(target, PS_FLOAT16, PS_AVG, {0x7bff, 0x7bff}), 0x7bffu);
    EXPECT_EQ(run_one(target, PS_FLOAT8_E4M3, PS_AVG, {0x7e, 0x7e}), 0x7eu);
  }
}

TEST(Reduce, ExtremesDoNotDependOnTheOrderAndGiveNan) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    for (psDataType dtype = PS_FLOAT16; dtype <= PS_FLOAT8_E5M2; ++dtype) {
      SCOPED_TRACE(std::string(target.name) + " " + data_type_name(dtype));
      const Format format = *float_format(dtype);
      const Code minus_zero = (mask_of(dtype) >> 1) + 1;
      const Code one = round_to(dtype, 1.0);
      const Code minus_nan = mask_of(dtype);
      for (psReduceOp op : {PS_MIN, PS_MAX}) {
        const Code zero = op == PS_MIN ? minus_zero : 0;
        EXPECT_EQ(run_one(target, dtype, op, {0, minus_zero}), zero);
        EXPECT_EQ(run_one(target, dtype, op, {minus_zero, 0}), zero);
        for (const Code nan : {format.nan, minus_nan}) {
          EXPECT_EQ(run_one(target, dtype, op, {nan, one}), format.nan);
          EXPECT_EQ(run_one(target, dtype, op, {one, nan}), format.nan);
          EXPECT_EQ(run_one(target, dtype, op, {one, nan, one, one}), format.nan);
        }
      }
    }
  }
}

TEST(Reduce, IntegersWrapAndAveragesDivideTowardsZero) {
  for (const ReduceTarget& target : supported_reduce_targets()) {
    EXPECT_EQ(run_one(target, PS_INT8, PS_SUM, {0x7f, 1}), 0x80u);
    EXPECT_EQ(run_one(target, PS_UINT16, PS_PRODUCT, {0xffff, 0xffff}), 1u);
    EXPECT_EQ(run_one(target, PS_INT64, PS_PRODUCT, {uint64_t(INT64_MAX), 2}), uint64_t(-2));
    for (psDataType dtype = PS_INT8; dtype <= PS_INT64; ++dtype) {
      const Code mask = mask_of(dtype);
      EXPECT_EQ(run_one(target, dtype, PS_AVG, {mask - 2, mask - 3}), mask - 2) << "-7 / 2 is -3";
      EXPECT_EQ(run_one(target, dtype, PS_AVG, {mask, 0}), 0u) << "-1 / 2 is 0";
      EXPECT_EQ(run_one(target, dtype, PS_AVG, {mask >> 1, 1}), mask ^ (mask >> 2)) << "the wrapped sum is the least";
    }
    for (psDataType dtype = PS_UINT8; dtype <= PS_UINT64; ++dtype) {
      EXPECT_EQ(run_one(target, dtype, PS_AVG, {mask_of(dtype), 4}), 1u) << "the wrapped sum is 3";
    }
    // More sources than the type counts to; 300 cut to 8 bits would be 44.
    std::vector<Code> many(300, 0);
    many[0] = 100;
    EXPECT_EQ(run_one(target, PS_INT8, PS_AVG, many), 0u);
    EXPECT_EQ(run_one(target, PS_UINT8, PS_AVG, many), 0u);
  }
}

TEST(Reduce, OneSourceIsCopiedButScaledAndNormalised) {
  const double half = 0.5;
  for (const ReduceTarget& target : supported_reduce_targets()) {
    EXPECT_EQ(run_one(target, PS_FLOAT32, PS_SUM, {0x7f800001}), 0x7f800001u) << "a signalling NaN, untouched";
    EXPECT_EQ(run_one(target, PS_BOOL, PS_LOGICAL_OR, {0x80}), 1u);
    EXPECT_EQ(run(target, PS_FLOAT32, PS_PREMUL_SUM, {{0x40000000}}, &half)[0], 0x3f800000u);
  }
}

TEST(ReduceTarget, IsTheHighestSupportedUnlessLowered) {
  const auto supported = supported_reduce_targets();
  ASSERT_FALSE(supported.empty());
  EXPECT_STREQ(supported[0].name, "baseline");
  EXPECT_STREQ(choose_reduce_target(nullptr).name, supported.back().name);
  for (const ReduceTarget& target : supported) EXPECT_STREQ(choose_reduce_target(target.name).name, target.name);
#if defined(__x86_64__)
  EXPECT_STREQ(choose_reduce_target("x86-64-v4").name, supported.back().name);
#endif
}

TEST(ReduceTarget, AnUnknownNameIsAnErrorThatListsTheNames) {
  try {
    choose_reduce_target("avx9");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    for (const char* part : {"PS_REDUCE_TARGET", "avx9", "baseline"}) {
      EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
    }
  }
}

TEST(ReduceTarget, TheOneInUseIsBehindTheInterface) {
  std::set<std::string> names;
  for (const ReduceTarget& target : supported_reduce_targets()) names.insert(target.name);
  EXPECT_TRUE(names.contains(reduce_target()));
  EXPECT_NE(find_reduce_kernel(PS_FLOAT32, PS_SUM), nullptr);
  EXPECT_EQ(find_reduce_kernel(PS_BOOL, PS_SUM), nullptr);
}

}  // namespace
}  // namespace ps
