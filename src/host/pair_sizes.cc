#include "host/pair_sizes.h"

#include <fmt/core.h>

namespace ps {

void check_pair_sizes(const Call& call, int from, int to, uint64_t sent, uint64_t expected) {
  if (sent == expected) return;
  throw MismatchFound{from, call.signature,
                      fmt::format("in the group's numbers, {} elements are sent from rank {} to rank {}, "
                                  "which expects {}",
                                  sent / call.element, from, to, expected / call.element),
                      call.signature, to};
}

}  // namespace ps
