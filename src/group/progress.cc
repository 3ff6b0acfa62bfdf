#include "group/progress.h"

#include <algorithm>

#include "base/thread.h"
#include "group/communicator.h"

namespace ps {

void Progress::watch(std::shared_ptr<Communicator> communicator) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_.load()) return;
    if (std::find(watched_.begin(), watched_.end(), communicator) == watched_.end()) {
      watched_.push_back(std::move(communicator));
    }
    if (!thread_.joinable()) thread_ = start_thread("ps-progress", [this] { run(); });
  }
  changed_.notify_one();
  nudge();
}

void Progress::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_.store(true);
  }
  changed_.notify_one();
  nudge();
  if (thread_.joinable()) thread_.join();
  watched_.clear();
}

void Progress::run() {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_.load() || !watched_.empty(); });
      if (stopping_.load()) return;
    }
    wait_until(world_->doorbell(), world_->wait_policy(), Deadline::never(), [this](bool thorough) { return step(thorough); });
  }
}

// True when nothing is left to do.
bool Progress::step(bool thorough) {
  if (stopping_.load()) return true;
  std::vector<std::shared_ptr<Communicator>> watched;
  {
    const std::lock_guard lock(mutex_);
    watched = watched_;
  }
  for (const auto& communicator : watched) {
    if (communicator->progress(thorough)) continue;
    const std::lock_guard lock(mutex_);
    // Asked again under the lock: an operation may have been submitted meanwhile.
    if (!communicator->progress(thorough)) std::erase(watched_, communicator);
  }
  const std::lock_guard lock(mutex_);
  return watched_.empty();
}

}  // namespace ps
