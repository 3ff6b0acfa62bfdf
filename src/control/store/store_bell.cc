#include "control/store/store_bell.h"

#include <chrono>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/thread.h"

namespace ps {
namespace {

// Well below the time after which the network may forget a connection on which nothing moves.
constexpr int64_t kOneWaitMs = 20'000;
// Where it could not ask the store.
constexpr int64_t kPauseMs = 500;

}  // namespace

StoreBell::StoreBell(std::shared_ptr<Store> store, uint64_t world, int32_t rank)
    : store_(std::move(store)), world_(world), rank_(rank) {}

std::string StoreBell::key(int32_t rank) const { return fmt::format("{}bell {} {}", kReservedKeyPrefix, world_, rank); }

std::shared_ptr<Store> StoreBell::store() const {
  const std::lock_guard lock(mutex_);
  if (!store_) fail(PS_ERR_STATE, "the context is finalized");
  return store_;
}

void StoreBell::ring(int32_t rank, const StopCheck& check) const { store()->set(key(rank), "", -1, check); }

void StoreBell::add(const void* who, std::function<void()> woken) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  woken_[who] = std::move(woken);
  if (!thread_.joinable()) thread_ = start_thread("ps-bell", [this] { run(); });
  changed_.notify_all();
}

void StoreBell::remove(const void* who) {
  const std::lock_guard lock(mutex_);
  woken_.erase(who);
}

void StoreBell::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  store_.reset();
}

void StoreBell::run() {
  const std::shared_ptr<Store> store = this->store();
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !woken_.empty(); });
      if (stopping_) return;
    }
    const Heard heard = await_ring(*store);
    std::unique_lock lock(mutex_);
    if (stopping_) return;
    for (const auto& [who, woken] : woken_) woken();
    if (heard == Heard::kTheEnd) return;
    if (heard == Heard::kTrouble) changed_.wait_for(lock, std::chrono::milliseconds(kPauseMs), [this] { return stopping_; });
  }
}

// Whoever waits is woken whatever it was: what was left may be there all the same, as a ring is lost where the store fell
// silent while it was taken.
StoreBell::Heard StoreBell::await_ring(Store& store) {
  const auto check = [this] {
    const std::lock_guard lock(mutex_);
    if (stopping_ || woken_.empty()) throw Error(PS_ERR_ABORTED, "nobody waits any more");
  };
  try {
    store.get(key(rank_), Deadline::in_ms(kOneWaitMs), check);
    // Before anybody looks: what is left from here on rings again.
    store.remove(key(rank_), check);
    return Heard::kRingOrSilence;
  } catch (const Error& error) {
    switch (error.code()) {
      case PS_ERR_TIMEOUT:
      case PS_ERR_ABORTED: return Heard::kRingOrSilence;
      case PS_ERR_CLOSED:
      case PS_ERR_PEER_FAILED: return Heard::kTheEnd;  // of the store, for good
      default: return Heard::kTrouble;                 // such as no descriptor left
    }
  } catch (const std::exception&) {
    return Heard::kTrouble;
  }
}

}  // namespace ps
