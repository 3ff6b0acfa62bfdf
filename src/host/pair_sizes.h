// Of calls whose sizes only the two ranks of a pair know: what one sends and what the other expects must be the same.
#pragma once

#include "host/call.h"
#include "host/operation.h"

namespace ps {

// In bytes; `from` and `to` are members that have called `call`. Throws MismatchFound.
void check_pair_sizes(const Call& call, int from, int to, uint64_t sent, uint64_t expected);

}  // namespace ps
