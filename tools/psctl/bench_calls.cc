#include "bench_calls.h"

#include "bench_world.h"

namespace psctl {
namespace {

using measure::DataType;
using measure::Operation;

constexpr int32_t kTag = 0;

psDataType data_type_of(DataType dtype) {
  switch (dtype) {
    case DataType::kI8: return PS_INT8;
    case DataType::kI16: return PS_INT16;
    case DataType::kI32: return PS_INT32;
    case DataType::kI64: return PS_INT64;
    case DataType::kU8: return PS_UINT8;
    case DataType::kU16: return PS_UINT16;
    case DataType::kU32: return PS_UINT32;
    case DataType::kU64: return PS_UINT64;
    case DataType::kF16: return PS_FLOAT16;
    case DataType::kBf16: return PS_BFLOAT16;
    case DataType::kF32: return PS_FLOAT32;
    case DataType::kF64: return PS_FLOAT64;
  }
  return 0;
}

}  // namespace

void BenchCalls::prepare(const measure::Shape& shape) {
  Patterned::prepare(shape);
  dtype_ = data_type_of(shape.dtype);
}

void BenchCalls::run() {
  const psResult result = call();
  if (result < 0) check(result, measure::name_of(shape().operation));
}

psResult BenchCalls::call() {
  const size_t count = shape().count;
  const bool is_root = rank() == measure::kRoot;
  switch (shape().operation) {
    case Operation::kAllReduce: return psAllReduce(group_, send(), recv(), count, dtype_, PS_SUM, nullptr, nullptr);
    case Operation::kReduce:
      return psReduce(group_, send(), recv(), count, dtype_, PS_SUM, measure::kRoot, nullptr, nullptr);
    case Operation::kBroadcast:
      return psBroadcast(group_, send(), is_root ? send() : recv(), count, dtype_, measure::kRoot, nullptr, nullptr);
    case Operation::kAllGather: return psAllGather(group_, send(), recv(), count, dtype_, nullptr, nullptr);
    case Operation::kReduceScatter:
      return psReduceScatter(group_, send(), recv(), count, dtype_, PS_SUM, nullptr, nullptr);
    case Operation::kAllToAll: return psAllToAll(group_, send(), recv(), count, dtype_, nullptr, nullptr);
    case Operation::kGather: return psGather(group_, send(), recv(), count, dtype_, measure::kRoot, nullptr, nullptr);
    case Operation::kScatter: return psScatter(group_, send(), recv(), count, dtype_, measure::kRoot, nullptr, nullptr);
    case Operation::kBarrier: return psBarrier(group_, nullptr);
    case Operation::kSendRecv: break;
  }
  const int peer = shape().partner(rank());
  if (peer == rank()) return PS_OK;
  if (rank() < peer) {
    const psResult sent = psSend(group_, send(), count, dtype_, peer, kTag, nullptr, nullptr);
    return sent < 0 ? sent : psRecv(group_, recv(), count, dtype_, peer, kTag, nullptr, nullptr);
  }
  const psResult received = psRecv(group_, recv(), count, dtype_, peer, kTag, nullptr, nullptr);
  return received < 0 ? received : psSend(group_, send(), count, dtype_, peer, kTag, nullptr, nullptr);
}

}  // namespace psctl
