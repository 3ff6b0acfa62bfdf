// The floating-point formats as bits, with conversion to and from the type they are accumulated in. The conversions are
// branch-free integer code with a select at each end of the range, which the compiler vectorises for every target.
// Subnormals go through numbers that are normal in float32 (the magic-number addition known from Giesen's half-float
// conversions), so results stay right where the process flushes denormals to zero. A NaN that was computed is written
// as kNan, because which operand's payload survives an addition depends on the instructions chosen.
//
// Everything here has internal linkage: included by kernels.cc alone, which is compiled for several instruction sets.
#pragma once

#include <cstdint>

namespace ps {
namespace {

// condition ? yes : no, on the bits. A conditional expression may be compiled to a branch around the arithmetic of one
// side, because floating-point operations can trap; then the loop is not vectorised.
inline uint32_t select(bool condition, uint32_t yes, uint32_t no) {
  const uint32_t mask = -static_cast<uint32_t>(condition);
  return (yes & mask) | (no & ~mask);
}

// A format: Bits as stored, Signed an integer of that size, Wide what it is accumulated in; kLargest is the largest
// magnitude, as bits, that is not NaN. broadcast() makes a factor or divisor.

struct Float64 {
  using Bits = uint64_t;
  using Signed = int64_t;
  using Wide = double;
  static constexpr Bits kLargest = 0x7ff0000000000000, kNan = 0x7ff8000000000000;

  static Wide broadcast(double value) { return value; }
  static Wide widen(Bits bits) { return __builtin_bit_cast(double, bits); }
  static Bits narrow(Wide value) {
    const Bits bits = __builtin_bit_cast(Bits, value);
    return (bits & INT64_MAX) > kLargest ? kNan : bits;
  }
};

struct Float32 {
  using Bits = uint32_t;
  using Signed = int32_t;
  using Wide = float;
  static constexpr Bits kLargest = 0x7f800000, kNan = 0x7fc00000;

  static Wide broadcast(double value) { return static_cast<float>(value); }
  static Wide widen(Bits bits) { return __builtin_bit_cast(float, bits); }
  static Bits narrow(Wide value) {
    const Bits bits = __builtin_bit_cast(Bits, value);
    return (bits & INT32_MAX) > kLargest ? kNan : bits;
  }
};

struct BFloat16 {
  using Bits = uint16_t;
  using Signed = int16_t;
  using Wide = float;
  static constexpr Bits kLargest = 0x7f80, kNan = 0x7fc0;

  static Wide broadcast(double value) { return static_cast<float>(value); }
  static Wide widen(Bits bits) { return __builtin_bit_cast(float, uint32_t{bits} << 16); }
  static Bits narrow(Wide value) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, value);
    const uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return static_cast<Bits>((bits & INT32_MAX) > Float32::kLargest ? kNan : nearest);
  }
};

// Formats whose whole range, subnormals included, is normal in float32. kSaturation is the float32 from which on
// everything becomes kLargest.
template <class UnsignedType, class SignedType, int kExponentBits, int kFractionBits, UnsignedType kLargestMagnitude,
          UnsignedType kNanBits, uint32_t kSaturation>
struct SmallFloat {
  using Bits = UnsignedType;
  using Signed = SignedType;
  using Wide = float;
  static constexpr Bits kLargest = kLargestMagnitude, kNan = kNanBits;

  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr int kDropped = 23 - kFractionBits;
  static constexpr uint32_t kRebias = static_cast<uint32_t>(127 - kBias) << 23;
  static constexpr uint32_t kMagnitude = (1u << (kExponentBits + kFractionBits)) - 1;
  static constexpr uint32_t kSign = kMagnitude + 1;
  static constexpr int kSignShift = 31 - kExponentBits - kFractionBits;
  static constexpr bool kHasInfinity = kLargest == kMagnitude - ((1u << kFractionBits) - 1);
  // The spacing of the subnormals, and the number whose last place that is.
  static constexpr uint32_t kSpacing = static_cast<uint32_t>(127 + 1 - kBias - kFractionBits) << 23;
  static constexpr uint32_t kMagic = kSpacing + (23u << 23);

  static Wide broadcast(double value) { return static_cast<float>(value); }
  static Wide widen(Bits bits) {
    const uint32_t magnitude = bits & kMagnitude;
    const uint32_t normal = (magnitude << kDropped) + kRebias;
    const float subnormal = static_cast<float>(static_cast<int32_t>(magnitude)) * __builtin_bit_cast(float, kSpacing);
    uint32_t wide = select(magnitude < (1u << kFractionBits), __builtin_bit_cast(uint32_t, subnormal), normal);
    if constexpr (kHasInfinity) {
      wide = select(magnitude >= kLargest, normal + kRebias, wide);
    } else {
      wide = select(magnitude > kLargest, Float32::kNan, wide);
    }
    return __builtin_bit_cast(float, wide | (bits & kSign) << kSignShift);
  }

  static Bits narrow(Wide value) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, value);
    const int32_t magnitude = static_cast<int32_t>(bits & INT32_MAX);
    const uint32_t limited =
        static_cast<uint32_t>(magnitude > static_cast<int32_t>(kSaturation) ? static_cast<int32_t>(kSaturation)
                                                                            : magnitude);
    const uint32_t half = (1u << (kDropped - 1)) - 1;
    const uint32_t normal = (limited + half + (limited >> kDropped & 1) - kRebias) >> kDropped;
    const float shifted = __builtin_bit_cast(float, magnitude) + __builtin_bit_cast(float, kMagic);
    const uint32_t subnormal = __builtin_bit_cast(uint32_t, shifted) - kMagic;
    const bool is_normal = magnitude >= static_cast<int32_t>(kRebias + (1u << 23));
    const uint32_t rounded = select(is_normal, normal, subnormal) | (bits >> kSignShift & kSign);
    return static_cast<Bits>(select(magnitude > static_cast<int32_t>(Float32::kLargest), kNan, rounded));
  }
};

using Float16 = SmallFloat<uint16_t, int16_t, 5, 10, 0x7c00, 0x7e00, 0x47800000>;  // 65536
using Float8E4M3 = SmallFloat<uint8_t, int8_t, 4, 3, 0x7e, 0x7f, 0x43e00000>;      // 448
using Float8E5M2 = SmallFloat<uint8_t, int8_t, 5, 2, 0x7c, 0x7f, 0x47800000>;      // 65536

}  // namespace
}  // namespace ps
