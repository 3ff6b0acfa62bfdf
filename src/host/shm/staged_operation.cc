#include "host/shm/staged_operation.h"

namespace ps {

void StagedOperation::publish() {
  board_.publish(sequence_, call_.signature, call_.scale);
  board_.compare_arrived(sequence_, call_.signature);
  published_ = true;
}

bool StagedOperation::met(bool with_readers) {
  for (; next_to_meet_ < board_.size(); ++next_to_meet_) {
    if (needs(next_to_meet_, with_readers) && !board_.arrived(next_to_meet_, sequence_, call_.signature)) return false;
  }
  return true;
}

std::vector<int> StagedOperation::awaited() const {
  if (!published_) return board_.not_reached(sequence_ - 1);
  std::vector<int> missing;
  for (int member = 0; member < board_.size(); ++member) {
    if (needs(member, true) && !board_.reached(member, sequence_)) missing.push_back(member);
  }
  return missing;
}

}  // namespace ps
