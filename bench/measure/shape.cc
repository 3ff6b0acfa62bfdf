#include "measure/shape.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace measure {
namespace {

struct OperationName {
  Operation operation;
  const char* name;
};

constexpr std::array kOperations = {
    OperationName{Operation::kAllReduce, "all_reduce"},         OperationName{Operation::kReduce, "reduce"},
    OperationName{Operation::kBroadcast, "broadcast"},          OperationName{Operation::kAllGather, "all_gather"},
    OperationName{Operation::kReduceScatter, "reduce_scatter"}, OperationName{Operation::kAllToAll, "all_to_all"},
    OperationName{Operation::kGather, "gather"},                OperationName{Operation::kScatter, "scatter"},
    OperationName{Operation::kBarrier, "barrier"},              OperationName{Operation::kSendRecv, "send_recv"},
};

struct TypeName {
  DataType dtype;
  const char* name;
  size_t size;
};

constexpr std::array kTypes = {
    TypeName{DataType::kI8, "i8", 1},   TypeName{DataType::kI16, "i16", 2}, TypeName{DataType::kI32, "i32", 4},
    TypeName{DataType::kI64, "i64", 8}, TypeName{DataType::kU8, "u8", 1},   TypeName{DataType::kU16, "u16", 2},
    TypeName{DataType::kU32, "u32", 4}, TypeName{DataType::kU64, "u64", 8}, TypeName{DataType::kF16, "f16", 2},
    TypeName{DataType::kBf16, "bf16", 2}, TypeName{DataType::kF32, "f32", 4}, TypeName{DataType::kF64, "f64", 8},
};

constexpr char kUnits[] = {'K', 'M', 'G'};

}  // namespace

const std::vector<Operation>& all_operations() {
  static const std::vector<Operation> all = [] {
    std::vector<Operation> operations;
    for (const OperationName& row : kOperations) operations.push_back(row.operation);
    return operations;
  }();
  return all;
}

const char* name_of(Operation operation) {
  for (const OperationName& row : kOperations) {
    if (row.operation == operation) return row.name;
  }
  return "";
}

const char* name_of(DataType dtype) {
  for (const TypeName& row : kTypes) {
    if (row.dtype == dtype) return row.name;
  }
  return "";
}

size_t size_of(DataType dtype) {
  for (const TypeName& row : kTypes) {
    if (row.dtype == dtype) return row.size;
  }
  return 0;
}

bool parse(std::string_view name, Operation& operation) {
  for (const OperationName& row : kOperations) {
    if (name != row.name) continue;
    operation = row.operation;
    return true;
  }
  return false;
}

bool parse(std::string_view name, DataType& dtype) {
  for (const TypeName& row : kTypes) {
    if (name != row.name) continue;
    dtype = row.dtype;
    return true;
  }
  return false;
}

bool parse_size(std::string_view text, size_t& bytes) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number == 0) return false;
  std::string_view unit(end, static_cast<size_t>(text.data() + text.size() - end));
  size_t scale = 1;
  if (!unit.empty()) {
    const auto* known = std::find(std::begin(kUnits), std::end(kUnits), unit.front() & ~0x20);
    if (known == std::end(kUnits)) return false;
    scale = size_t{1} << (10 * (known - kUnits + 1));
    unit.remove_prefix(1);
    if (!unit.empty() && unit != "iB" && unit != "B") return false;
  }
  if (number > std::numeric_limits<size_t>::max() / scale) return false;
  bytes = number * scale;
  return true;
}

std::string size_text(size_t bytes) {
  size_t unit = 0;
  while (unit < std::size(kUnits) && bytes >= 1024 && bytes % 1024 == 0) {
    bytes /= 1024;
    ++unit;
  }
  return std::to_string(bytes) + (unit == 0 ? "" : std::string(1, kUnits[unit - 1]));
}

bool Shape::has_blocks() const {
  switch (operation) {
    case Operation::kAllGather:
    case Operation::kReduceScatter:
    case Operation::kAllToAll:
    case Operation::kGather:
    case Operation::kScatter: return true;
    default: return false;
  }
}

Shape Shape::of(Operation operation, DataType dtype, int ranks, size_t bytes) {
  Shape shape{operation, dtype, ranks, 0};
  if (operation == Operation::kBarrier) return shape;
  const size_t blocks = shape.has_blocks() ? static_cast<size_t>(ranks) : 1;
  shape.count = std::max<size_t>(1, bytes / size_of(dtype) / blocks);
  return shape;
}

size_t Shape::bytes() const {
  return count * size_of(dtype) * (has_blocks() ? static_cast<size_t>(ranks) : 1);
}

size_t Shape::send_bytes(int rank) const {
  const size_t block = count * size_of(dtype);
  switch (operation) {
    case Operation::kAllReduce:
    case Operation::kReduce:
    case Operation::kAllGather:
    case Operation::kGather: return block;
    case Operation::kReduceScatter:
    case Operation::kAllToAll: return bytes();
    case Operation::kBroadcast:
    case Operation::kScatter: return rank == kRoot ? bytes() : 0;
    case Operation::kSendRecv: return partner(rank) == rank ? 0 : block;
    case Operation::kBarrier: return 0;
  }
  return 0;
}

size_t Shape::recv_bytes(int rank) const {
  const size_t block = count * size_of(dtype);
  switch (operation) {
    case Operation::kAllReduce:
    case Operation::kReduceScatter:
    case Operation::kScatter: return block;
    case Operation::kReduce: return rank == kRoot ? block : 0;
    case Operation::kBroadcast: return rank == kRoot ? 0 : block;
    case Operation::kAllGather:
    case Operation::kAllToAll: return bytes();
    case Operation::kGather: return rank == kRoot ? bytes() : 0;
    case Operation::kSendRecv: return partner(rank) == rank ? 0 : block;
    case Operation::kBarrier: return 0;
  }
  return 0;
}

double Shape::algorithm_bandwidth(double us) const {
  return us > 0 ? static_cast<double>(bytes()) / us / 1000 : 0;
}

double Shape::bus_bandwidth(double us) const {
  const double n = ranks;
  const double bandwidth = algorithm_bandwidth(us);
  if (operation == Operation::kAllReduce) return bandwidth * 2 * (n - 1) / n;
  return has_blocks() ? bandwidth * (n - 1) / n : bandwidth;
}

size_t most_send_bytes(const std::vector<Shape>& shapes, int rank) {
  size_t most = 0;
  for (const Shape& shape : shapes) most = std::max(most, shape.send_bytes(rank));
  return most;
}

size_t most_recv_bytes(const std::vector<Shape>& shapes, int rank) {
  size_t most = 0;
  for (const Shape& shape : shapes) most = std::max(most, shape.recv_bytes(rank));
  return most;
}

}  // namespace measure
