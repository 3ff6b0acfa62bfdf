// Checks of the arguments of data operations. Whatever they refuse has taken no place in the group's order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/data_type.h"
#include "base/error.h"
#include "group/group.h"

namespace ps::api {

// A range of the caller's memory with the name of its parameter.
struct Span {
  const void* data;
  size_t bytes;
  const char* name;
};

// The size of an element. ARGUMENT: no data type.
inline size_t checked_element(psDataType dtype) {
  if (!is_data_type(dtype)) fail(PS_ERR_ARGUMENT, "{} is no data type", dtype);
  return element_size(dtype);
}
[[noreturn, gnu::cold]] void refuse_bytes(size_t count, size_t element, size_t times);
// count * element * times. ARGUMENT: overflow.
inline size_t checked_bytes(size_t count, size_t element, size_t times = 1) {
  size_t bytes = 0;
  // Half the address space: no real buffer is larger, and offsets stay representable.
  if (__builtin_mul_overflow(count, element, &bytes) || __builtin_mul_overflow(bytes, times, &bytes) || bytes > PTRDIFF_MAX) {
    refuse_bytes(count, element, times);
  }
  return bytes;
}
// A rank in the group; PS_NEXT and PS_PREV where `ring`. ARGUMENT otherwise.
int32_t checked_unusual_rank(const Group& group, int32_t rank, const char* name, bool ring);
inline int32_t checked_rank(const Group& group, int32_t rank, const char* name, bool ring) {
  if (rank >= 0 && rank < group.size()) return rank;
  return checked_unusual_rank(group, rank, name, ring);
}
// ARGUMENT: NULL with a size.
inline void check_present(const Span& span) {
  if (span.data == nullptr && span.bytes > 0) fail(PS_ERR_ARGUMENT, "{} is NULL, {} bytes are needed", span.name, span.bytes);
}
// The two ranges are apart, or in place: `send` begins at `send_alias`, or `recv` at `recv_alias` (nullptr: the operation
// has no such form). ARGUMENT names the pointer that would be right.
[[noreturn, gnu::cold]] void refuse_overlap(const Span& send, const Span& recv, const void* send_alias, const void* recv_alias);
inline void check_apart(const Span& send, const Span& recv, const void* send_alias, const void* recv_alias) {
  if (send.bytes == 0 || recv.bytes == 0) return;
  const auto* s = static_cast<const std::byte*>(send.data);
  const auto* r = static_cast<const std::byte*>(recv.data);
  if (s + send.bytes <= r || r + recv.bytes <= s) return;
  if (send_alias != nullptr && send.data == send_alias) return;
  if (recv_alias != nullptr && recv.data == recv_alias) return;
  refuse_overlap(send, recv, send_alias, recv_alias);
}

// Byte sizes and offsets of `size` unequal blocks; offsets NULL: packed. ARGUMENT: overflow; with `disjoint` also blocks
// that overlap.
struct BlockList {
  std::vector<size_t> sizes;
  std::vector<size_t> offsets;
  size_t extent = 0;  // the end of the last block
};
BlockList checked_blocks(const size_t* counts, const size_t* offsets, int size, size_t element, bool disjoint, const char* name);

// The kernel and factor of a reduction. ARGUMENT: no such reduction; UNSUPPORTED: not on this type.
struct Reduction {
  ReduceKernel kernel;
  psReduceOp kind;
  double scale;
};
Reduction checked_unusual_reduction(const Group& group, psReduceOp op, psDataType dtype);
inline Reduction checked_reduction(const Group& group, psReduceOp op, psDataType dtype) {
  if (is_reduce_op(op)) {
    if (const ReduceKernel kernel = find_reduce_kernel(dtype, op)) return {kernel, op, 1.0};
  }
  return checked_unusual_reduction(group, op, dtype);
}

}  // namespace ps::api
