// What a reduction does to one element: read it into an accumulator, combine two accumulators, finish one. Each struct
// is one row of the table at psReduceOp for one family of types.
//
// Everything here has internal linkage: included by kernels.cc alone, which is compiled for several instruction sets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "host/reduce/float_types.h"

namespace ps {
namespace {

// The defaults: one source is its own result, and there is no factor.
struct Operation {
  static constexpr bool kCopiesOneSource = true;
  static constexpr bool kScales = false;
};

template <class Format>
struct FloatOperation : Operation {
  using Element = typename Format::Bits;
  using Accumulator = typename Format::Wide;
  static Accumulator read(Element element, Accumulator) { return Format::widen(element); }
  static Element finish(Accumulator value, size_t) { return Format::narrow(value); }
};

template <class Format>
struct FloatSum : FloatOperation<Format> {
  using Wide = typename Format::Wide;
  static Wide combine(Wide a, Wide b) { return a + b; }
};

template <class Format>
struct FloatProduct : FloatOperation<Format> {
  using Wide = typename Format::Wide;
  static Wide combine(Wide a, Wide b) { return a * b; }
};

template <class Format>
struct FloatAverage : FloatSum<Format> {
  using Wide = typename Format::Wide;
  static typename Format::Bits finish(Wide value, size_t source_count) {
    return Format::narrow(value / Format::broadcast(static_cast<double>(source_count)));
  }
};

template <class Format>
struct FloatPremulSum : FloatSum<Format> {
  static constexpr bool kCopiesOneSource = false;
  static constexpr bool kScales = true;
  using Wide = typename Format::Wide;
  static Wide factor(double scale) { return Format::broadcast(scale); }
  static Wide read(typename Format::Bits element, Wide factor) { return Format::widen(element) * factor; }
};

// From the type to what it is accumulated in, times a factor.
template <class Format>
struct FloatWidening : FloatPremulSum<Format> {
  static_assert(sizeof(typename Format::Wide) == sizeof(Float32::Bits));
  using Result = Float32::Bits;
  static Result finish(float value, size_t) { return Float32::narrow(value); }
};

// From what the type is accumulated in, divided once.
template <class Format>
struct FloatFinishing : FloatOperation<Format> {
  static constexpr bool kCopiesOneSource = false;
  static constexpr bool kScales = true;
  using Wide = typename Format::Wide;
  using Partial = std::conditional_t<sizeof(Wide) == 8, Float64, Float32>;
  using Element = typename Partial::Bits;
  using Result = typename Format::Bits;
  static Wide factor(double divisor) { return Format::broadcast(divisor); }
  static Wide read(Element element, Wide divisor) { return Partial::widen(element) / divisor; }
};

// The extremes of floats are those of integers in the same order, -0 before +0: nothing is converted, and the result
// does not depend on the order of the sources. A NaN becomes the integer that wins, which stands for NaNs alone.
template <class Format, bool kMax>
struct FloatExtreme : Operation {
  using Element = typename Format::Bits;
  using Accumulator = typename Format::Signed;
  static constexpr int kTopBit = 8 * sizeof(Element) - 1;
  static constexpr Accumulator kMost = static_cast<Accumulator>(static_cast<Element>(~Element{0}) >> 1);
  static constexpr Accumulator kWinner = kMax ? kMost : static_cast<Accumulator>(~kMost);

  static Accumulator ordered(Accumulator bits) { return static_cast<Accumulator>(bits ^ ((bits >> kTopBit) & kMost)); }
  static Accumulator read(Element element, Accumulator) {
    const auto bits = static_cast<Accumulator>(element);
    return static_cast<Accumulator>(bits & kMost) > static_cast<Accumulator>(Format::kLargest) ? kWinner
                                                                                              : ordered(bits);
  }
  static Accumulator combine(Accumulator a, Accumulator b) { return (kMax ? a > b : a < b) ? a : b; }
  static Element finish(Accumulator value, size_t) {
    return value == kWinner ? Format::kNan : static_cast<Element>(ordered(value));
  }
};

template <class Format>
using FloatMin = FloatExtreme<Format, false>;
template <class Format>
using FloatMax = FloatExtreme<Format, true>;

template <class Integer>
struct IntegerOperation : Operation {
  using Element = Integer;
  using Accumulator = Integer;
  static Integer read(Integer element, Integer) { return element; }
  static Integer finish(Integer value, size_t) { return value; }
};

// Sums and products are taken in uint64_t, which wraps, and cut to the type.
template <class Integer>
struct IntegerSum : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) {
    return static_cast<Integer>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  }
};

template <class Integer>
struct IntegerProduct : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) {
    return static_cast<Integer>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
};

template <class Integer>
struct IntegerMin : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) { return a < b ? a : b; }
};

template <class Integer>
struct IntegerMax : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) { return a > b ? a : b; }
};

template <class Integer>
struct IntegerAverage : IntegerSum<Integer> {
  static Integer finish(Integer sum, size_t source_count) {
    if constexpr (sizeof(Integer) < 8) {
      // Exact: the quotient of two integers below 2^32 is further from the next integer than double rounds it.
      return static_cast<Integer>(static_cast<double>(sum) / static_cast<double>(source_count));
    } else {
      return sum / static_cast<Integer>(source_count);
    }
  }
};

template <class Integer>
struct IntegerFinishing : Operation {
  static constexpr bool kCopiesOneSource = false;
  static constexpr bool kScales = true;
  using Element = Integer;
  using Result = Integer;
  using Accumulator = std::conditional_t<sizeof(Integer) < 8, double, Integer>;  // see IntegerAverage
  static Accumulator factor(double divisor) { return static_cast<Accumulator>(divisor); }
  static Accumulator read(Integer element, Accumulator divisor) { return static_cast<Accumulator>(element) / divisor; }
  static Integer finish(Accumulator value, size_t) { return static_cast<Integer>(value); }
};

template <class Integer>
struct BitAnd : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) { return static_cast<Integer>(a & b); }
};

template <class Integer>
struct BitOr : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) { return static_cast<Integer>(a | b); }
};

template <class Integer>
struct BitXor : IntegerOperation<Integer> {
  static Integer combine(Integer a, Integer b) { return static_cast<Integer>(a ^ b); }
};

// A Boolean is made 0 or 1 where it is read, so the bit operations are the logical ones.
template <class BitOperation>
struct Logical : BitOperation {
  static constexpr bool kCopiesOneSource = false;
  static uint8_t read(uint8_t element, uint8_t) { return element != 0; }
};

}  // namespace
}  // namespace ps
