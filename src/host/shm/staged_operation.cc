#include "host/shm/staged_operation.h"

namespace ps {

void StagedOperation::publish() {
  board_.publish(sequence_, call_.signature, call_.scale);
  board_.compare_arrived(sequence_, call_.signature);
  published_ = true;
}

bool StagedOperation::met(bool with_readers) {
  for (; next_to_meet_ < board_.size(); ++next_to_meet_) {
    const int member = next_to_meet_;
    if (member == board_.rank()) continue;
    const bool needed = (reads() && call_.stages(member)) || (with_readers && stages() && call_.reads(member));
    if (needed && !board_.arrived(member, sequence_, call_.signature)) return false;
  }
  return true;
}

std::vector<int> StagedOperation::awaited() const {
  if (!published_) return board_.not_reached(sequence_ - 1);
  std::vector<int> missing;
  for (int member = 0; member < board_.size(); ++member) {
    if (member == board_.rank() || board_.reached(member, sequence_)) continue;
    if ((reads() && call_.stages(member)) || (stages() && call_.reads(member))) missing.push_back(member);
  }
  return missing;
}

}  // namespace ps
