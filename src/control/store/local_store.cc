#include "control/store/local_store.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "control/store/message.h"
#include "control/waiting.h"

namespace ps {
namespace {

constexpr int64_t kLongestSleepMs = 60'000;

// Where an outcome and the thread that waits for it meet.
class Mailbox {
 public:
  void put(Outcome outcome) {
    std::lock_guard lock(mutex_);
    outcome_ = std::move(outcome);
    arrived_.notify_all();
  }
  bool wait(int64_t ms) {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return outcome_.has_value(); });
  }
  Value take() {
    std::lock_guard lock(mutex_);
    if (const auto* const error = std::get_if<Error>(&*outcome_)) throw *error;
    return std::get<Value>(*outcome_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Outcome> outcome_;
};

std::pair<std::shared_ptr<Mailbox>, Done> new_mailbox() {
  auto box = std::make_shared<Mailbox>();
  return {box, [box](Outcome outcome) { box->put(std::move(outcome)); }};
}

// Waits for the outcome; ends the wait itself at the deadline, and gives it up when `check` throws.
Value wait_for_outcome(StoreData& data, Ticket ticket, Mailbox& box, Deadline deadline, const StopCheck& check) {
  const int64_t begin = monotonic_ns();
  int checks = 0;
  const auto slice = [&] { return check ? tick_ns(checks++) / 1'000'000 : kLongestSleepMs; };
  while (!box.wait(std::min(deadline.remaining_ms(), slice()))) {
    if (deadline.passed()) {
      data.time_out(ticket, (monotonic_ns() - begin) / 1'000'000);
    } else if (check) {
      try {
        check();
      } catch (const Error& error) {
        data.give_up(ticket, error);
        throw;
      } catch (...) {
        data.disconnect(ticket);
        throw;
      }
    }
  }
  return box.take();
}

}  // namespace

void LocalStore::set(std::string_view key, std::string_view value, int64_t expire_ms, const StopCheck&) {
  data_->set(key, value, expire_ms);
}

std::string LocalStore::get(std::string_view key, Deadline deadline, const StopCheck& check) {
  auto [box, done] = new_mailbox();
  const Ticket ticket = data_->get(key, std::move(done));
  return *wait_for_outcome(*data_, ticket, *box, deadline, check);
}

int64_t LocalStore::add(std::string_view key, int64_t delta) { return data_->add(key, delta); }

bool LocalStore::compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                                 std::string_view desired, int64_t expire_ms, const StopCheck&) {
  return data_->compare_and_set(key, expected, desired, expire_ms);
}

bool LocalStore::remove(std::string_view key, const StopCheck&) { return data_->remove(key); }

Exchanged LocalStore::exchange(const Exchange& request, Deadline deadline, const StopCheck& check) {
  auto [box, done] = new_mailbox();
  const Ticket ticket = data_->exchange(request, std::move(done));
  const Value value = wait_for_outcome(*data_, ticket, *box, deadline, check);
  auto exchanged = parse_exchanged(*value);
  if (!exchanged) fail(PS_ERR_INTERNAL, "the store made a reply that it cannot read");
  exchanged->owner = value;
  return std::move(*exchanged);
}

}  // namespace ps
