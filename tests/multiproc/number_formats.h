// Floating-point formats of 8 and 16 bits, by a table of their positive values in order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace ps_test {

class SmallFloat {
 public:
  // `saturating`: without infinity, as OCP e4m3fn, where all ones are the only NaN.
  SmallFloat(int bits, int mantissa_bits, bool saturating) : sign_(1u << (bits - 1)), saturating_(saturating) {
    const uint32_t fraction = (1u << mantissa_bits) - 1;
    const int bias = (1 << (bits - 2 - mantissa_bits)) - 1;
    infinity_ = saturating ? sign_ - 1 : (sign_ - 1) & ~fraction;
    for (uint32_t code = 0; code <= infinity_; ++code) {
      const int exponent = static_cast<int>(code >> mantissa_bits);
      const double mantissa = (code & fraction) + (exponent > 0 ? fraction + 1.0 : 0.0);
      values_.push_back(std::ldexp(mantissa, std::max(exponent, 1) - bias - mantissa_bits));
    }
  }

  float decode(uint32_t code) const {
    const uint32_t magnitude = code & (sign_ - 1);
    const float sign = (code & sign_) != 0 ? -1.0f : 1.0f;
    if (saturating_ ? magnitude == infinity_ : magnitude > infinity_) return std::numeric_limits<float>::quiet_NaN();
    if (magnitude == infinity_) return sign * std::numeric_limits<float>::infinity();
    return sign * static_cast<float>(values_[magnitude]);
  }

  // To nearest, ties to even. The value after the last finite one is where infinity would stand.
  uint32_t encode(float value) const {
    const uint32_t sign = std::signbit(value) ? sign_ : 0;
    if (std::isnan(value)) return sign_ - 1;
    const double magnitude = std::fabs(static_cast<double>(value));
    if (magnitude >= values_.back()) return sign | (saturating_ ? infinity_ - 1 : infinity_);
    const auto above = std::upper_bound(values_.begin(), values_.end(), magnitude);
    auto code = static_cast<uint32_t>(above - values_.begin()) - 1;
    const double down = magnitude - values_[code];
    const double up = *above - magnitude;
    if (up < down || (up == down && code % 2 == 1)) ++code;
    return sign | (saturating_ ? std::min(code, infinity_ - 1) : code);
  }

  bool is_nan(uint32_t code) const { return std::isnan(decode(code)); }

 private:
  uint32_t sign_;
  bool saturating_;
  uint32_t infinity_;
  std::vector<double> values_;
};

}  // namespace ps_test
