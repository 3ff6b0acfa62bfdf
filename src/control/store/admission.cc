#include "control/store/admission.h"

#include <chrono>

namespace ps {

bool Admission::enter(const std::string& client_id, Role role) {
  std::lock_guard lock(mutex_);
  const bool is_in = connections_.contains(client_id);
  if (!is_in && (closed_ || (sealed_ && role == Role::kRank && !ranks_.contains(client_id)))) return false;
  if (role == Role::kRank) ranks_.insert(client_id);
  if (!is_in && ranks_.contains(client_id)) ++ranks_here_;
  ++connections_[client_id];
  return true;
}

void Admission::leave(const std::string& client_id) {
  std::lock_guard lock(mutex_);
  const auto found = connections_.find(client_id);
  if (--found->second > 0) return;
  connections_.erase(found);
  if (ranks_.contains(client_id) && --ranks_here_ == 0) ranks_left_.notify_all();
}

void Admission::seal() {
  std::lock_guard lock(mutex_);
  sealed_ = true;
}

void Admission::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
}

bool Admission::wait_for_ranks(Deadline deadline) {
  std::unique_lock lock(mutex_);
  while (ranks_here_ > 0) {
    if (deadline.passed()) return false;
    ranks_left_.wait_for(lock, std::chrono::milliseconds(std::min<int64_t>(deadline.remaining_ms(), 1000)));
  }
  return true;
}

}  // namespace ps
