// Eight float16 at a time by the conversion instructions of F16C, which gcc does not use by itself in a loop. A format
// like those of float_types.h, with the same bits.
//
// Everything here has internal linkage: included by kernels.cc alone, which is compiled for several instruction sets.
#pragma once

#include <cstddef>

#include "host/reduce/float_types.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace ps {
namespace {

// The format that converts several elements of Format at once, Format itself where there is none.
template <class Format>
struct Packed {
  using Type = Format;
  static constexpr size_t kLanes = 1;
};

#if defined(__F16C__)

struct Float16Pack {
  struct Bits {
    __m128i lanes;
  };
  using Wide = __m256;

  static Wide broadcast(double value) { return _mm256_set1_ps(static_cast<float>(value)); }
  static Wide widen(Bits bits) { return _mm256_cvtph_ps(bits.lanes); }
  static Bits narrow(Wide value) {
    const __m128i rounded = _mm256_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT);
    const __m128i magnitude = _mm_and_si128(rounded, _mm_set1_epi16(0x7fff));
    const __m128i is_nan = _mm_cmpgt_epi16(magnitude, _mm_set1_epi16(static_cast<int16_t>(Float16::kLargest)));
    return {_mm_blendv_epi8(rounded, _mm_set1_epi16(static_cast<int16_t>(Float16::kNan)), is_nan)};
  }
};

template <>
struct Packed<Float16> {
  using Type = Float16Pack;
  static constexpr size_t kLanes = 8;
};

#endif

}  // namespace
}  // namespace ps
