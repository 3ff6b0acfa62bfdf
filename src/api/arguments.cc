#include "api/arguments.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/data_type.h"
#include "base/error.h"

namespace ps::api {

void refuse_bytes(size_t count, size_t element, size_t times) {
  fail(PS_ERR_ARGUMENT, "a count of {} elements of {} bytes{} overflows", count, element,
       times > 1 ? fmt::format(" for each of {} ranks", times) : "");
}

int32_t checked_unusual_rank(const Group& group, int32_t rank, const char* name, bool ring) {
  const int32_t size = group.size();
  if (ring && rank == PS_NEXT) return (group.rank() + 1) % size;
  if (ring && rank == PS_PREV) return (group.rank() + size - 1) % size;
  fail(PS_ERR_ARGUMENT, "{} {} is no rank of group '{}' with {} members", name, rank, group.name(), size);
}

void refuse_overlap(const Span& send, const Span& recv, const void* send_alias, const void* recv_alias) {
  const auto* s = static_cast<const std::byte*>(send.data);
  const auto* r = static_cast<const std::byte*>(recv.data);
  // Where a buffer lies, seen from the other one.
  const auto place = [](const char* name, const std::byte* from, const void* to) {
    const ptrdiff_t bytes = static_cast<const std::byte*>(to) - from;
    if (bytes == 0) return fmt::format("equal to {}", name);
    return fmt::format("{} bytes {} {}", std::abs(bytes), bytes < 0 ? "before" : "after", name);
  };
  if (send_alias != nullptr) {
    fail(PS_ERR_ARGUMENT, "send and recv overlap; in place, send must be {}, but it is {}", place("recv", r, send_alias),
         place("recv", r, s));
  }
  if (recv_alias != nullptr) {
    fail(PS_ERR_ARGUMENT, "send and recv overlap; in place, recv must be {}, but it is {}", place("send", s, recv_alias),
         place("send", s, r));
  }
  fail(PS_ERR_ARGUMENT, "{} and {} overlap; this operation has no in-place form", send.name, recv.name);
}

BlockList checked_blocks(const size_t* counts, const size_t* offsets, int size, size_t element, bool disjoint, const char* name) {
  if (counts == nullptr) fail(PS_ERR_ARGUMENT, "{} is NULL", name);
  const auto n = static_cast<size_t>(size);
  BlockList blocks;
  size_t packed = 0;
  for (size_t i = 0; i < n; ++i) {
    const size_t bytes = checked_bytes(counts[i], element);
    const size_t offset = offsets == nullptr ? packed : checked_bytes(offsets[i], element);
    size_t end = 0;
    if (__builtin_add_overflow(offset, bytes, &end) || end > PTRDIFF_MAX) fail(PS_ERR_ARGUMENT, "{}[{}] = {} overflows", name, i, counts[i]);
    blocks.sizes.push_back(bytes);
    blocks.offsets.push_back(offset);
    if (bytes > 0) blocks.extent = std::max(blocks.extent, end);
    packed = offsets == nullptr ? end : packed;
  }
  if (!disjoint || offsets == nullptr) return blocks;
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::erase_if(order, [&](size_t i) { return blocks.sizes[i] == 0; });
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return blocks.offsets[a] < blocks.offsets[b]; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (blocks.offsets[order[i - 1]] + blocks.sizes[order[i - 1]] > blocks.offsets[order[i]]) {
      fail(PS_ERR_ARGUMENT, "{}: the received blocks of ranks {} and {} overlap", name, order[i - 1], order[i]);
    }
  }
  return blocks;
}

Reduction checked_unusual_reduction(const Group& group, psReduceOp op, psDataType dtype) {
  Reduction reduction{nullptr, op, 1.0};
  if (op >= 65536) {
    const Group::Scaling scaling = group.scaling(op);
    if (scaling.dtype != dtype) {
      fail(PS_ERR_ARGUMENT, "the reduction was made for {}, this call has {}", data_type_name(scaling.dtype), data_type_name(dtype));
    }
    reduction.kind = PS_PREMUL_SUM;
    reduction.scale = scaling.scale;
  } else if (op == PS_PREMUL_SUM) {
    fail(PS_ERR_ARGUMENT, "PS_PREMUL_SUM needs a scalar: make a reduction of it with psReduceOpCreate and pass that");
  } else if (!is_reduce_op(op)) {
    fail(PS_ERR_ARGUMENT, "{} is no reduction", op);
  }
  reduction.kernel = find_reduce_kernel(dtype, reduction.kind);
  if (reduction.kernel == nullptr) {
    fail(PS_ERR_UNSUPPORTED, "{} cannot be reduced by {}; bool takes logical_and, logical_or and logical_xor, integers all "
         "arithmetic and bitwise reductions, floats all arithmetic ones", data_type_name(dtype), reduce_op_name(reduction.kind));
  }
  return reduction;
}

}  // namespace ps::api
