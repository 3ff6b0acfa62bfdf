// What a communicator says of members that are missing, gone, late or doing something else.
#include <algorithm>

#include "group/communicator.h"
#include "group/failure_text.h"

namespace ps {

std::string Communicator::gone(int member, const GroupLabel& label) const {
  const auto index = static_cast<size_t>(member);
  const std::string loss = plane_ ? plane_->loss(member) : "";
  // One that left with something unsent closes its connections without a word.
  if (world_->has_left(global_ranks_[index]) && (!plane_ || !loss.empty() || plane_->has_heard_out(member))) {
    return "left by psFinalize";
  }
  if (plane_ && plane_->has_freed(member, label.tag)) return "has freed the group";
  if (world_->has_abandoned(global_ranks_[index], label.attempts[index])) {
    return "could not make this group; its own error says why";
  }
  if (!loss.empty()) return fmt::format("cannot be reached any more ({})", loss);
  if (world_->is_cut_off(global_ranks_[index])) return world_->how_cut_off(global_ranks_[index]);
  return "";
}

std::string Communicator::missing(const Request& request) {
  std::vector<int> members;
  {
    const std::scoped_lock lock(queue_lock_, message_lock_);
    if (request.finished()) return "nobody";
    members = awaited(request, &Operation::missing);
  }
  std::string text;
  for (const int member : members) {
    if (!text.empty()) text += ", ";
    text += world_->who(global_ranks_[static_cast<size_t>(member)]);
  }
  return text.empty() ? "nobody" : text;
}

Error Communicator::timed_out(const Request& request) {
  const std::vector<int> missing = awaited(request, &Operation::missing);
  std::string arrived;
  std::string absent;
  int32_t culprit = PS_NO_RANK;
  for (int member = 0; member < size(); ++member) {
    const int32_t global = global_ranks_[static_cast<size_t>(member)];
    if (std::find(missing.begin(), missing.end(), member) == missing.end()) {
      arrived += fmt::format("{}{}", arrived.empty() ? "" : ", ", global);
      continue;
    }
    if (culprit == PS_NO_RANK) culprit = global;
    const bool silent = world_->state(global) == PS_RANK_SILENT;
    const bool within = request.number > 0 && plane_->reached(member, request.number);
    const std::string state =
        silent ? fmt::format("is stopped (no heartbeat for {:.1f} s)", static_cast<double>(world_->silent_ms(global)) / 1000)
               : within ? "arrived but did not finish" : "never arrived";
    absent += fmt::format("{}{} {}, {}", absent.empty() ? "" : "; ", world_->who(global), state, describe_last_call(*world_, global));
  }
  return Error(PS_ERR_TIMEOUT,
               fmt::format("{} timed out on rank {}; arrived: {}; missing: {}",
                           request.number > 0 ? fmt::format("operation #{}", request.number) : describe(request.signature),
                           world_->rank(), arrived.empty() ? "nobody" : arrived, absent.empty() ? "nobody" : absent),
               culprit);
}

Error Communicator::mismatch(const MismatchFound& found, const Signature& stepped, uint64_t number) const {
  const int32_t peer = global_ranks_[static_cast<size_t>(found.peer)];
  const int32_t other = found.other < 0 ? world_->rank() : global_ranks_[static_cast<size_t>(found.other)];
  const Signature own = found.ours.value_or(stepped);
  const uint64_t at = found.number > 0 ? found.number : number;
  const std::string place = at > 0 ? fmt::format("in operation #{} ", at) : "";
  const std::string other_group = found.theirs.group != own.group ? " on another group of the same members" : "";
  return Error(PS_ERR_MISMATCH,
               fmt::format("{}rank {} called {}, but rank {} called {}{}{}{}", place, other, describe(own), peer,
                           describe(found.theirs), other_group, found.detail.empty() ? "" : ": ", found.detail),
               peer);
}

Error Communicator::died(int32_t global_rank) const {
  return Error(PS_ERR_PEER_FAILED,
               fmt::format("{} {}; {}", world_->who(global_rank), world_->how_lost(global_rank),
                           describe_last_call(*world_, global_rank)),
               global_rank);
}

}  // namespace ps
