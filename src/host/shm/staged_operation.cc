#include "host/shm/staged_operation.h"

namespace ps {

std::vector<int> StagedOperation::awaited() const {
  if (!published_) return board_.not_reached(sequence_ - 1);
  std::vector<int> missing;
  for (int member = 0; member < board_.size(); ++member) {
    if (needs(member, true) && !board_.reached(member, sequence_)) missing.push_back(member);
  }
  return missing;
}

}  // namespace ps
