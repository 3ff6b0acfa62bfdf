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
// count * element * times. ARGUMENT: overflow.
size_t checked_bytes(size_t count, size_t element, size_t times = 1);
// A rank in the group; PS_NEXT and PS_PREV where `ring`. ARGUMENT otherwise.
int32_t checked_rank(const Group& group, int32_t rank, const char* name, bool ring);
// ARGUMENT: NULL with a size.
inline void check_present(const Span& span) {
  if (span.data == nullptr && span.bytes > 0) fail(PS_ERR_ARGUMENT, "{} is NULL, {} bytes are needed", span.name, span.bytes);
}
// The two ranges are apart, or in place: `send` begins at `send_alias`, or `recv` at `recv_alias` (nullptr: the operation
// has no such form). ARGUMENT names the pointer that would be right.
void check_apart(const Span& send, const Span& recv, const void* send_alias, const void* recv_alias);

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
Reduction checked_reduction(const Group& group, psReduceOp op, psDataType dtype);

}  // namespace ps::api
