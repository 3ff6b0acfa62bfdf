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

// True when nothing is left to do. Takes no memory: where there is none, nobody could be told here.
bool Progress::step(bool thorough) {
  if (stopping_.load()) return true;
  for (size_t i = 0;;) {
    std::shared_ptr<Communicator> communicator;
    {
      const std::lock_guard lock(mutex_);
      if (i >= watched_.size()) return watched_.empty();
      communicator = watched_[i];
    }
    if (!communicator->progress(thorough)) {
      const std::lock_guard lock(mutex_);
      // Asked again under the lock: an operation may have been submitted meanwhile.
      if (!communicator->is_to_be_stepped()) {
        std::erase(watched_, communicator);
        continue;
      }
    }
    ++i;
  }
}

}  // namespace ps
