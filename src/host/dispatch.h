// Which algorithm runs an operation: the first row of a small table that fits. psGetLibraryInfo prints the table.
#pragma once

#include <cstddef>
#include <span>

#include "host/signature.h"

namespace ps {

enum class Algorithm { kOneShot, kTwoShot, kPipeline };

const char* algorithm_name(Algorithm algorithm);

struct DispatchRow {
  const char* operation;  // "all_reduce"; "*" any; "uneven": sizes that only the two ranks of a pair know
  const char* memory;
  size_t most_bytes;      // staged by a rank; SIZE_MAX: any
  Algorithm algorithm;
};

std::span<const DispatchRow> dispatch_table();

// The same answer on every member: it depends on the call's agreed part alone. `bytes`: the most that any member stages.
Algorithm choose_algorithm(Kind kind, size_t bytes);

}  // namespace ps
