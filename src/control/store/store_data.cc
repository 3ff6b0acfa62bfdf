#include "control/store/store_data.h"

#include <algorithm>

#include "base/deadline.h"
#include "base/environment.h"
#include "control/store/key.h"
#include "control/store/message.h"

namespace ps {
namespace {

constexpr size_t kMostKeys = 1 << 20;
constexpr uint64_t kLeastCapacity = uint64_t{1} << 30;
constexpr size_t kRefusalsKept = 4;

Error closed_error() { return Error(PS_ERR_CLOSED, "the store was closed by the process that hosts it"); }

int64_t expiry(int64_t expire_ms) { return expire_ms <= 0 ? 0 : Deadline::in_ms(expire_ms).ns(); }

}  // namespace

void StoreData::check_open() const {
  if (closed_) throw closed_error();
}

void StoreData::drop_expired() {
  const int64_t now = expiries_.empty() ? 0 : monotonic_ns();
  while (!expiries_.empty() && expiries_.begin()->first <= now) erase(entries_.find(expiries_.begin()->second));
}

StoreData::Entry* StoreData::find(std::string_view key) {
  drop_expired();
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void StoreData::erase(std::map<std::string, Entry, std::less<>>::iterator entry) {
  stored_bytes_ -= entry->first.size() + entry->second.value->size();
  if (entry->second.expires_ns != 0) expiries_.erase({entry->second.expires_ns, entry->first});
  entries_.erase(entry);
}

void StoreData::put(std::string_view key, Value value, int64_t expires_ns, Endings& endings) {
  if (key.empty() || key.size() > kLongestKey) {
    fail(PS_ERR_ARGUMENT, "a key of the store has 1 to {} bytes, this one {}", kLongestKey, key.size());
  }
  if (value->size() > max_value_bytes_) {
    fail(PS_ERR_ARGUMENT,
         "the value of the key \"{}\" has {} bytes, and this store takes {} (max_value_bytes of whoever hosts it)",
         shown_key(key), value->size(), max_value_bytes_);
  }
  const auto found = entries_.find(key);
  const uint64_t before = found == entries_.end() ? 0 : key.size() + found->second.value->size();
  const uint64_t capacity = std::max(kLeastCapacity, 16 * max_value_bytes_);
  if (stored_bytes_ - before + key.size() + value->size() > capacity ||
      (found == entries_.end() && entries_.size() >= kMostKeys)) {
    fail(PS_ERR_NO_MEMORY,
         "the store is full: it holds {} keys and {} bytes of at most {} and {}; delete keys or let them expire",
         entries_.size(), stored_bytes_, kMostKeys, capacity);
  }
  if (found != entries_.end()) erase(found);
  stored_bytes_ += key.size() + value->size();
  if (expires_ns != 0) expiries_.emplace(expires_ns, key);

  const auto [first, last] = waiting_keys_.equal_range(key);
  for (auto waiting = first; waiting != last; ++waiting) {
    const auto waiter = key_waiters_.find(waiting->second);
    endings.add(std::move(waiter->second.done), value);
    key_waiters_.erase(waiter);
  }
  waiting_keys_.erase(first, last);
  entries_.emplace(key, Entry{std::move(value), expires_ns});
}

std::optional<StoreData::KeyWaiter> StoreData::take_key_waiter(Ticket ticket) {
  const auto found = key_waiters_.find(ticket);
  if (found == key_waiters_.end()) return std::nullopt;
  KeyWaiter waiter = std::move(found->second);
  key_waiters_.erase(found);
  const auto [first, last] = waiting_keys_.equal_range(waiter.key);
  waiting_keys_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == ticket; }));
  return waiter;
}

void StoreData::set(std::string_view key, std::string_view value, int64_t expire_ms) {
  auto copy = std::make_shared<const std::string>(value);
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    check_open();
    drop_expired();
    put(key, std::move(copy), expiry(expire_ms), endings);
  }
  endings.run();
}

int64_t StoreData::add(std::string_view key, int64_t delta) {
  Endings endings;
  int64_t sum = 0;
  {
    std::lock_guard lock(mutex_);
    check_open();
    const Entry* const entry = find(key);
    const auto before = entry == nullptr ? std::optional<int64_t>(0) : parse_integer(*entry->value);
    if (!before) {
      fail(PS_ERR_ARGUMENT, "the key \"{}\" holds {} bytes that are no decimal integer, so nothing can be added",
           shown_key(key), entry->value->size());
    }
    if (__builtin_add_overflow(*before, delta, &sum)) {
      fail(PS_ERR_ARGUMENT, "adding {} to the key \"{}\", which holds {}, overflows 64 bits", delta, shown_key(key),
           *before);
    }
    const int64_t expires_ns = entry == nullptr ? 0 : entry->expires_ns;
    put(key, std::make_shared<const std::string>(std::to_string(sum)), expires_ns, endings);
  }
  endings.run();
  return sum;
}

bool StoreData::compare_and_set(std::string_view key, std::optional<std::string_view> expected,
                                std::string_view desired, int64_t expire_ms) {
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    check_open();
    const Entry* const entry = find(key);
    const bool equal = expected ? entry != nullptr && *entry->value == *expected : entry == nullptr;
    if (!equal) return false;
    put(key, std::make_shared<const std::string>(desired), expiry(expire_ms), endings);
  }
  endings.run();
  return true;
}

bool StoreData::remove(std::string_view key) {
  std::lock_guard lock(mutex_);
  check_open();
  drop_expired();
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  erase(found);
  return true;
}

Ticket StoreData::get(std::string_view key, Done done) {
  Endings endings;
  Ticket ticket = 0;
  {
    std::lock_guard lock(mutex_);
    ticket = ++last_ticket_;
    if (closed_) {
      endings.add(std::move(done), closed_error());
    } else if (const Entry* const entry = find(key)) {
      endings.add(std::move(done), entry->value);
    } else {
      key_waiters_[ticket] = {std::string(key), std::move(done)};
      waiting_keys_.emplace(key, ticket);
    }
  }
  endings.run();
  return ticket;
}

Ticket StoreData::exchange(const Exchange& request, Done done) {
  Endings endings;
  Ticket ticket = 0;
  {
    std::lock_guard lock(mutex_);
    check_open();
    ticket = ++last_ticket_;
    rounds_.arrive(ticket, request, std::move(done), endings);
  }
  endings.run();
  return ticket;
}

void StoreData::time_out(Ticket ticket, int64_t waited_ms) {
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    if (auto waiter = take_key_waiter(ticket)) {
      endings.add(std::move(waiter->done),
                  Error(PS_ERR_TIMEOUT,
                        fmt::format("nobody set the key \"{}\" within {} ms", shown_key(waiter->key), waited_ms)));
    } else {
      rounds_.time_out(ticket, waited_ms, refusals(), endings);
    }
  }
  endings.run();
}

void StoreData::disconnect(Ticket ticket) {
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    if (!take_key_waiter(ticket)) rounds_.disconnect(ticket, endings);
  }
  endings.run();
}

void StoreData::give_up(Ticket ticket, const Error& reason) {
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    if (take_key_waiter(ticket)) return;
    rounds_.give_up(ticket, reason, endings);
  }
  endings.run();
}

void StoreData::close() {
  Endings endings;
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [ticket, waiter] : key_waiters_) endings.add(std::move(waiter.done), closed_error());
    key_waiters_.clear();
    waiting_keys_.clear();
    rounds_.end_all(closed_error(), endings);
  }
  endings.run();
}

void StoreData::note_refusal(std::string text) {
  std::lock_guard lock(mutex_);
  if (refusals_.size() < kRefusalsKept && std::find(refusals_.begin(), refusals_.end(), text) == refusals_.end()) {
    refusals_.push_back(std::move(text));
  }
}

std::string StoreData::refusals() const {
  std::string text;
  for (const std::string& refusal : refusals_) text += " Refused: " + refusal + ".";
  return text;
}

}  // namespace ps
