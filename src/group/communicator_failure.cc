// The first failure of a communicator: taken by whoever notices it, mostly within a lock, told to the other members, and
// logged once that lock is dropped.
#include "base/no_cancellation.h"
#include "group/communicator.h"

namespace ps {

void Communicator::take_failure(const Error& error, bool tell) noexcept {
  // The record is for first failures: a consequence must not reach members that have not seen the cause yet.
  if (failed_.load(std::memory_order_acquire)) return;
  const NoCancellation no_cancellation;
  std::shared_ptr<const Error> first = no_memory_;
  try {
    if (tell && plane_) plane_->record_failure(error);
    const auto recorded = tell && plane_ ? plane_->recorded_failure() : std::nullopt;
    first = std::make_shared<const Error>(recorded.value_or(error));
  } catch (const std::exception&) {
    // There is no memory to say more.
  }
  {
    const std::lock_guard lock(failure_mutex_);
    if (failure_) return;
    failure_ = std::move(first);
    is_unlogged_.store(true);
    failed_.store(true, std::memory_order_release);
  }
  world_->doorbell().ring();
}

void Communicator::fail_by(const std::exception& thrown) noexcept {
  if (const auto* error = dynamic_cast<const Error*>(&thrown)) return take_failure(*error, true);
  if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) return take_failure(*no_memory_, true);
  fail_with([&] { return Error(PS_ERR_INTERNAL, thrown.what()); });
}

void Communicator::adopt_recorded_failure() {
  if (failed_.load(std::memory_order_acquire) || !plane_) return;
  if (const auto recorded = plane_->recorded_failure()) take_failure(*recorded, false);
}

void Communicator::adopt_deaths() {
  if (failed_.load()) return;
  const int32_t dead = world_->first_dead(global_ranks_);
  if (dead != PS_NO_RANK) take_failure(died(dead), false);
}

std::shared_ptr<const Error> Communicator::known_failure() {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

void Communicator::log_failure_now() noexcept {
  if (!is_unlogged_.exchange(false)) return;
  const NoCancellation no_cancellation;
  try {
    world_->logger().info("a group of {} ranks failed: {}", size(), known_failure()->text());
  } catch (const std::exception&) {
    // There is no memory for the line.
  }
}

void Communicator::fail(const Error& error, bool tell) {
  take_failure(error, tell);
  log_failure();
}

void Communicator::notice_deaths() {
  adopt_deaths();
  log_failure();
}

std::shared_ptr<const Error> Communicator::failure() {
  if (!failed_.load(std::memory_order_acquire)) {
    adopt_recorded_failure();
    adopt_deaths();
    log_failure();
  }
  return known_failure();
}

}  // namespace ps
