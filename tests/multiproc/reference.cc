#include "reference.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <type_traits>

#include "number_formats.h"

namespace ps_test {
namespace {

uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

const SmallFloat& format_of(psDataType dtype) {
  static const SmallFloat float16(16, 10, false);
  static const SmallFloat bfloat16(16, 7, false);
  static const SmallFloat e4m3(8, 3, true);
  static const SmallFloat e5m2(8, 2, false);
  switch (dtype) {
    case PS_FLOAT16: return float16;
    case PS_BFLOAT16: return bfloat16;
    case PS_FLOAT8_E4M3: return e4m3;
    default: return e5m2;
  }
}

template <class T>
T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

// What the reduction accumulates in.
template <class T>
T read_float(psDataType dtype, const std::byte* from) {
  if (dtype == PS_FLOAT64) return static_cast<T>(load<double>(from));
  if (dtype == PS_FLOAT32) return static_cast<T>(load<float>(from));
  return static_cast<T>(format_of(dtype).decode(size_of(dtype) == 2 ? load<uint16_t>(from) : load<uint8_t>(from)));
}

template <class T>
void write_float(psDataType dtype, std::byte* to, T value) {
  if (dtype == PS_FLOAT64) return store(to, static_cast<double>(value));
  if (dtype == PS_FLOAT32) return store(to, static_cast<float>(value));
  const uint32_t code = format_of(dtype).encode(static_cast<float>(value));
  if (size_of(dtype) == 2) return store(to, static_cast<uint16_t>(code));
  store(to, static_cast<uint8_t>(code));
}

// Mostly values whose sums round; here and there one that overflows, vanishes or is not finite.
double float_value(psReduceOp op, uint64_t bits) {
  const double sign = (bits & 1) != 0 ? -1 : 1;
  switch (bits >> 32 & 127) {
    case 0: return std::numeric_limits<double>::quiet_NaN();
    case 1: return sign * std::numeric_limits<double>::infinity();
    case 2: return sign * 400;
    case 3: return sign * 60000;
    case 4: return sign * 0x1p-16;
    case 5: return sign * 3.3e38;
    default: break;
  }
  const double fraction = static_cast<double>(bits >> 40) / 0x1p24;
  return op == PS_PRODUCT ? sign * (0.5 + fraction) : 8 * fraction - 4;
}

template <class T>
T combine_floats(psReduceOp op, T left, T right) {
  if (op == PS_PRODUCT) return left * right;
  if (op != PS_MIN && op != PS_MAX) return left + right;
  if (std::isnan(left)) return left;
  return std::isnan(right) || (op == PS_MIN ? right < left : right > left) ? right : left;
}

// The order alone of what rounds matters.
template <class T>
T fold_floats(psReduceOp op, psDataType dtype, const std::vector<std::vector<std::byte>>& inputs, size_t offset,
              const std::string& hosts) {
  std::map<size_t, T> partial;  // by the first rank of a host
  for (size_t rank = 0; rank < inputs.size(); ++rank) {
    T value = read_float<T>(dtype, inputs[rank].data() + offset);
    if (op == PS_PREMUL_SUM) value *= static_cast<T>(scalar_of(static_cast<int>(rank)));
    const auto [found, is_first] = partial.try_emplace(hosts.empty() ? 0 : hosts.find(hosts[rank]), value);
    if (!is_first) found->second = combine_floats(op, found->second, value);
  }
  T result = partial.begin()->second;
  for (auto next = std::next(partial.begin()); next != partial.end(); ++next) {
    result = combine_floats(op, result, next->second);
  }
  return op == PS_AVG ? result / static_cast<T>(inputs.size()) : result;
}

template <class T>
T fold_integers(psReduceOp op, const std::vector<std::vector<std::byte>>& inputs, size_t offset) {
  using Unsigned = std::make_unsigned_t<T>;
  T result = load<T>(inputs[0].data() + offset);
  for (size_t rank = 1; rank < inputs.size(); ++rank) {
    const T value = load<T>(inputs[rank].data() + offset);
    const auto left = static_cast<uint64_t>(static_cast<Unsigned>(result));
    const auto right = static_cast<uint64_t>(static_cast<Unsigned>(value));
    switch (op) {
      case PS_PRODUCT: result = static_cast<T>(left * right); break;
      case PS_MIN: result = std::min(result, value); break;
      case PS_MAX: result = std::max(result, value); break;
      case PS_BIT_AND: result = static_cast<T>(left & right); break;
      case PS_BIT_OR: result = static_cast<T>(left | right); break;
      case PS_BIT_XOR: result = static_cast<T>(left ^ right); break;
      default: result = static_cast<T>(left + right); break;
    }
  }
  if (op != PS_AVG) return result;
  if constexpr (std::is_signed_v<T>)
    return static_cast<T>(static_cast<int64_t>(result) / static_cast<int64_t>(inputs.size()));
  return static_cast<T>(result / inputs.size());
}

uint8_t fold_bools(psReduceOp op, const std::vector<std::vector<std::byte>>& inputs, size_t offset) {
  bool result = inputs[0][offset] != std::byte{0};
  for (size_t rank = 1; rank < inputs.size(); ++rank) {
    const bool value = inputs[rank][offset] != std::byte{0};
    result = op == PS_LOGICAL_AND ? result && value : op == PS_LOGICAL_OR ? result || value : result != value;
  }
  return result ? 1 : 0;
}

void fold_one(std::byte* to, psDataType dtype, psReduceOp op, const std::vector<std::vector<std::byte>>& inputs,
              size_t offset, const std::string& hosts) {
  switch (dtype) {
    case PS_INT8: return store(to, fold_integers<int8_t>(op, inputs, offset));
    case PS_INT16: return store(to, fold_integers<int16_t>(op, inputs, offset));
    case PS_INT32: return store(to, fold_integers<int32_t>(op, inputs, offset));
    case PS_INT64: return store(to, fold_integers<int64_t>(op, inputs, offset));
    case PS_UINT8: return store(to, fold_integers<uint8_t>(op, inputs, offset));
    case PS_UINT16: return store(to, fold_integers<uint16_t>(op, inputs, offset));
    case PS_UINT32: return store(to, fold_integers<uint32_t>(op, inputs, offset));
    case PS_UINT64: return store(to, fold_integers<uint64_t>(op, inputs, offset));
    case PS_BOOL: return store(to, fold_bools(op, inputs, offset));
    case PS_FLOAT64: return write_float(dtype, to, fold_floats<double>(op, dtype, inputs, offset, hosts));
    default: return write_float(dtype, to, fold_floats<float>(op, dtype, inputs, offset, hosts));
  }
}

}  // namespace

size_t size_of(psDataType dtype) {
  switch (dtype) {
    case PS_INT16:
    case PS_UINT16:
    case PS_FLOAT16:
    case PS_BFLOAT16: return 2;
    case PS_INT32:
    case PS_UINT32:
    case PS_FLOAT32: return 4;
    case PS_INT64:
    case PS_UINT64:
    case PS_FLOAT64: return 8;
    default: return 1;
  }
}

bool is_float(psDataType dtype) { return dtype >= PS_FLOAT16 && dtype <= PS_FLOAT8_E5M2; }

const char* name_of(psDataType dtype) {
  constexpr const char* kNames[] = {"?",       "int8",        "int16",       "int32",   "int64",    "uint8",
                                    "uint16",  "uint32",      "uint64",      "float16", "bfloat16", "float32",
                                    "float64", "float8_e4m3", "float8_e5m2", "bool"};
  return kNames[dtype];
}

const char* reduction_name(psReduceOp op) {
  constexpr const char* kNames[] = {"",           "sum",         "product",   "min",     "max",
                                    "avg",        "bit_and",     "bit_or",    "bit_xor", "logical_and",
                                    "logical_or", "logical_xor", "premul_sum"};
  return kNames[op];
}

bool is_legal(psDataType dtype, psReduceOp op) {
  if (op >= PS_LOGICAL_AND && op <= PS_LOGICAL_XOR) return dtype == PS_BOOL;
  if (dtype == PS_BOOL) return false;
  if (op >= PS_BIT_AND && op <= PS_BIT_XOR) return !is_float(dtype);
  return op != PS_PREMUL_SUM || is_float(dtype);
}

float scalar_of(int rank) { return 1.0f / 3 + 0.7f * static_cast<float>(rank); }

Pattern::Pattern(psDataType dtype, psReduceOp op, int size, const std::string& hosts) : dtype_(dtype), op_(op) {
  const size_t element = size_of(dtype);
  for (int rank = 0; rank < size; ++rank) {
    std::vector<std::byte> input(kPeriod * element);
    for (size_t i = 0; i < kPeriod; ++i) {
      const uint64_t bits = mix(mix(static_cast<uint64_t>(dtype) * 64 + static_cast<uint64_t>(op)) + i * 64 +
                                static_cast<uint64_t>(rank));
      std::byte* to = input.data() + i * element;
      if (op == 0 || !is_float(dtype)) {
        std::memcpy(to, &bits, element);
        if (dtype == PS_BOOL && op != 0 && bits % 3 != 0) *to = std::byte{bits % 3 == 1};
      } else {
        write_float(dtype, to, float_value(op, bits));
      }
    }
    inputs_.push_back(std::move(input));
  }
  if (op == 0) return;
  fold_.resize(kPeriod * element);
  for (size_t i = 0; i < kPeriod; ++i) fold_one(fold_.data() + i * element, dtype, op, inputs_, i * element, hosts);
}

void Pattern::write(std::byte* to, int rank, size_t begin, size_t count) const {
  const std::vector<std::byte>& from = rank == kFold ? fold_ : inputs_[static_cast<size_t>(rank)];
  const size_t element = size_of(dtype_);
  begin %= kPeriod;
  while (count > 0) {
    const size_t run = std::min(count, kPeriod - begin);
    std::memcpy(to, from.data() + begin * element, run * element);
    to += run * element;
    count -= run;
    begin = 0;
  }
}

bool Pattern::equal(const std::byte* found, const std::byte* expected, size_t count) const {
  const size_t element = size_of(dtype_);
  if (count == 0 || std::memcmp(found, expected, count * element) == 0) return true;
  if (!is_float(dtype_) || op_ == 0) return false;
  for (size_t i = 0; i < count; ++i, found += element, expected += element) {
    if (std::memcmp(found, expected, element) == 0) continue;
    const auto left = read_float<double>(dtype_, found);
    const auto right = read_float<double>(dtype_, expected);
    if (std::isnan(left) && std::isnan(right)) continue;
    if (left == 0 && right == 0 && (op_ == PS_MIN || op_ == PS_MAX)) continue;
    return false;
  }
  return true;
}

}  // namespace ps_test
