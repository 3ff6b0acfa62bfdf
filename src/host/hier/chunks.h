// A large call in chunks, planned so that the rows of stages overlap: the front of a chunk before the back of the one
// before it.
#pragma once

#include <algorithm>
#include <cstddef>

#include "host/hier/stage.h"

namespace ps {

struct Chunk {
  size_t begin;  // in elements
  size_t count;
  int parity;
};

// Calls front(chunk, after) and back(chunk, after) for each chunk of `count` elements, one at least; both return their last
// stage. A chunk begins after the one before the last, whose scratch memory it takes.
template <class Front, class Back>
void plan_in_chunks(size_t count, size_t most, Front&& front, Back&& back) {
  const size_t unit = std::max<size_t>(most, 1);
  const size_t chunks = std::max<size_t>((count + unit - 1) / unit, 1);
  const auto chunk = [&](size_t i) { return Chunk{i * unit, std::min(unit, count - i * unit), static_cast<int>(i % 2)}; };
  int last[2] = {Stage::kNothing, Stage::kNothing};
  for (size_t i = 0; i <= chunks; ++i) {
    if (i < chunks) last[i % 2] = front(chunk(i), last[i % 2]);
    if (i > 0) last[(i - 1) % 2] = back(chunk(i - 1), last[(i - 1) % 2]);
  }
}

}  // namespace ps
