// How a rank learns that another one has left something for it at the store, without asking again and again: one key of a
// rank, which its thread waits for and takes away. Who is woken looks for what it waits for; the bell says no more than
// that it may be there.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "control/store/store.h"

namespace ps {

class StoreBell {
 public:
  // The ranks are those of the world of that number.
  StoreBell(std::shared_ptr<Store> store, uint64_t world, int32_t rank);
  ~StoreBell() { stop(); }

  // After something was left for the rank. Errors: those of the store and of `check`; STATE after stop().
  void ring(int32_t rank, const StopCheck& check = nullptr) const;

  // `woken` is called on the bell's thread whenever this rank's bell has rung since, and now and then without, until `who`
  // is removed; it must be quick and not call here. What was left before must be looked for after the call.
  void add(const void* who, std::function<void()> woken);
  // The function is not running any more when this returns.
  void remove(const void* who);

  // Ends the thread, which exists from the first `add` on, and lets the store go.
  void stop();

 private:
  enum class Heard { kRingOrSilence, kTrouble, kTheEnd };

  void run();
  Heard await_ring(Store& store);
  std::shared_ptr<Store> store() const;
  std::string key(int32_t rank) const;

  std::shared_ptr<Store> store_;
  const uint64_t world_;
  const int32_t rank_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<const void*, std::function<void()>> woken_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace ps
