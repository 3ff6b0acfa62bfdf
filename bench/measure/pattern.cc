#include "measure/pattern.h"

#include <string.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace measure {
namespace {

constexpr size_t kPeriod = 509;

// bfloat16 and float16 have whole numbers up to 256 and 2048, 8-bit integers wrap.
int64_t most_value(const Shape& shape) {
  if (size_of(shape.dtype) >= 4) return 999;
  return std::clamp<int64_t>(256 / shape.ranks, 1, 99);
}

int64_t value_at(const Shape& shape, int rank, int64_t iteration, size_t place) {
  const auto shift = static_cast<size_t>(rank) * 17 + static_cast<size_t>(iteration) * 29;
  const auto n = static_cast<uint64_t>((place + shift) % kPeriod);
  const uint64_t mixed = (n * 0x9E3779B97F4A7C15u) >> 40;
  return static_cast<int64_t>(mixed % static_cast<uint64_t>(most_value(shape) + 1));
}

template <class T>
void put(void* at, T value) {
  ::memcpy(at, &value, sizeof value);
}

uint16_t bfloat16_of(float value) {
  uint32_t bits;
  ::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

// Of a whole number from 0 to 2048.
uint16_t float16_of(int64_t value) {
  if (value == 0) return 0;
  int exponent = 0;
  while (value >> (exponent + 1) != 0) ++exponent;
  const int64_t fraction = exponent <= 10 ? value << (10 - exponent) : value >> (exponent - 10);
  return static_cast<uint16_t>((exponent + 15) << 10 | (fraction & 0x3ff));
}

void encode(DataType dtype, int64_t value, void* at) {
  switch (dtype) {
    case DataType::kI8:
    case DataType::kU8: return put(at, static_cast<uint8_t>(value));
    case DataType::kI16:
    case DataType::kU16: return put(at, static_cast<uint16_t>(value));
    case DataType::kI32:
    case DataType::kU32: return put(at, static_cast<uint32_t>(value));
    case DataType::kI64:
    case DataType::kU64: return put(at, value);
    case DataType::kF16: return put(at, float16_of(value));
    case DataType::kBf16: return put(at, bfloat16_of(static_cast<float>(value)));
    case DataType::kF32: return put(at, static_cast<float>(value));
    case DataType::kF64: return put(at, static_cast<double>(value));
  }
}

// A rank's input from element `first` on, or the sum of all ranks' inputs: of one period what `bytes` need.
class Tile {
 public:
  Tile(const Shape& shape, int rank, int64_t iteration, size_t first, size_t bytes)
      : Tile(shape, rank, rank, iteration, first, bytes) {}
  static Tile of_sum(const Shape& shape, int64_t iteration, size_t first, size_t bytes) {
    return Tile(shape, 0, shape.ranks - 1, iteration, first, bytes);
  }

  void write(void* to, size_t bytes) const {
    auto* at = static_cast<unsigned char*>(to);
    for (size_t done = 0; done < bytes; done += bytes_.size()) {
      ::memcpy(at + done, bytes_.data(), std::min(bytes_.size(), bytes - done));
    }
  }
  bool is_in(const unsigned char* at, size_t bytes) const {
    for (size_t done = 0; done < bytes; done += bytes_.size()) {
      if (::memcmp(at + done, bytes_.data(), std::min(bytes_.size(), bytes - done)) != 0) return false;
    }
    return true;
  }

 private:
  Tile(const Shape& shape, int first_rank, int last_rank, int64_t iteration, size_t first, size_t bytes) {
    const size_t size = size_of(shape.dtype);
    const size_t elements = std::min(kPeriod, bytes / size);
    bytes_.resize(elements * size);
    for (size_t i = 0; i < elements; ++i) {
      int64_t value = 0;
      for (int rank = first_rank; rank <= last_rank; ++rank) value += value_at(shape, rank, iteration, first + i);
      encode(shape.dtype, value, bytes_.data() + i * size);
    }
  }

  std::vector<unsigned char> bytes_;
};

}  // namespace

void write_input(const Shape& shape, int rank, int64_t iteration, void* send) {
  const size_t bytes = shape.send_bytes(rank);
  if (bytes > 0) Tile(shape, rank, iteration, 0, bytes).write(send, bytes);
}

bool output_is_right(const Shape& shape, int rank, int64_t iteration, const void* recv) {
  const size_t bytes = shape.recv_bytes(rank);
  if (bytes == 0) return true;
  const auto* at = static_cast<const unsigned char*>(recv);
  const size_t own = static_cast<size_t>(rank) * shape.count;  // where this rank's block begins in a whole input
  const size_t block = shape.count * size_of(shape.dtype);
  const auto blocks_are_right = [&](size_t first) {
    for (int from = 0; from < shape.ranks; ++from) {
      const unsigned char* const received = at + static_cast<size_t>(from) * block;
      if (!Tile(shape, from, iteration, first, block).is_in(received, block)) return false;
    }
    return true;
  };
  switch (shape.operation) {
    case Operation::kAllReduce:
    case Operation::kReduce: return Tile::of_sum(shape, iteration, 0, bytes).is_in(at, bytes);
    case Operation::kReduceScatter: return Tile::of_sum(shape, iteration, own, bytes).is_in(at, bytes);
    case Operation::kBroadcast: return Tile(shape, kRoot, iteration, 0, bytes).is_in(at, bytes);
    case Operation::kScatter: return Tile(shape, kRoot, iteration, own, bytes).is_in(at, bytes);
    case Operation::kSendRecv: return Tile(shape, shape.partner(rank), iteration, 0, bytes).is_in(at, bytes);
    case Operation::kAllGather:
    case Operation::kGather: return blocks_are_right(0);
    case Operation::kAllToAll: return blocks_are_right(own);
    case Operation::kBarrier: return true;
  }
  return false;
}

}  // namespace measure
