// Checks of the arguments of data operations. Whatever they refuse has taken no place in the group's order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "group/group.h"

namespace ps::api {

// A range of the caller's memory with the name of its parameter.
struct Span {
  const void* data;
  size_t bytes;
  const char* name;
};

// The size of an element. ARGUMENT: no data type.
size_t checked_element(psDataType dtype);
// count * element * times. ARGUMENT: overflow.
size_t checked_bytes(size_t count, size_t element, size_t times = 1);
// A rank in the group; PS_NEXT and PS_PREV where `ring`. ARGUMENT otherwise.
int32_t checked_rank(const Group& group, int32_t rank, const char* name, bool ring);
// ARGUMENT: NULL with a size.
void check_present(const Span& span);
// The two ranges are apart, or both begin at `allowed`, which is the alias the operation permits (nullptr: none).
// ARGUMENT names the pointer that would be right.
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
