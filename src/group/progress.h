// The context's thread that steps asynchronous operations nobody waits for. Started at the first of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "control/world.h"

namespace ps {

class Communicator;

class Progress {
 public:
  explicit Progress(std::shared_ptr<World> world) : world_(std::move(world)) {}
  ~Progress() { stop(); }

  // From now until its last asynchronous operation has finished.
  void watch(std::shared_ptr<Communicator> communicator);
  // A waiter left; what it stepped may need the thread again.
  void nudge() { world_->doorbell().ring(); }
  void stop();

 private:
  void run();
  bool step(bool thorough);

  std::shared_ptr<World> world_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Communicator>> watched_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace ps
