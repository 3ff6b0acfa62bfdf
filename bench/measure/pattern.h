// What inputs hold and outputs must hold. Every input differs by its rank, its place and the iteration, and is small
// enough whole numbers that sums are exact in every type. Patterns repeat after an odd number of elements, so that a
// rank writes and checks them at the speed of memory, and no block of a power of two looks like another.
#pragma once

#include <cstddef>
#include <cstdint>

#include "measure/shape.h"

namespace measure {

// Writes a rank's input of one iteration: shape.send_bytes(rank) bytes.
void write_input(const Shape& shape, int rank, int64_t iteration, void* send);

// Whether a rank's output is that of the operation on the inputs of that iteration: shape.recv_bytes(rank) bytes.
bool output_is_right(const Shape& shape, int rank, int64_t iteration, const void* recv);

}  // namespace measure
