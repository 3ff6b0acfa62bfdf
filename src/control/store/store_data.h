// The store itself: keys, values, expiry and who waits for what, as a state machine without threads or clocks of its
// own. Who waits owns its deadline and reports it (time_out). All functions are thread-safe; a `Done` is called exactly
// once, without the lock, on the thread whose call ended the wait, which may be the one that began it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "control/store/exchange_rounds.h"
#include "control/store/store.h"
#include "control/store/waiter.h"

namespace ps {

class StoreData {
 public:
  // `one_world`: made by a world for itself alone.
  StoreData(uint64_t max_value_bytes, bool one_world) : max_value_bytes_(max_value_bytes), rounds_(one_world) {}

  void set(std::string_view key, std::string_view value, int64_t expire_ms);
  int64_t add(std::string_view key, int64_t delta);
  bool compare_and_set(std::string_view key, std::optional<std::string_view> expected, std::string_view desired,
                       int64_t expire_ms);
  bool remove(std::string_view key);

  // Outcome: the value, TIMEOUT or CLOSED.
  Ticket get(std::string_view key, Done done);
  // Outcome: what encode_exchanged made, or the round's error.
  Ticket exchange(const Exchange& request, Done done);

  // The waiter's deadline has come; for an exchange that is the end of the whole round.
  void time_out(Ticket ticket, int64_t waited_ms);
  // The waiter is gone without a word; its `done` is dropped.
  void disconnect(Ticket ticket);
  // The waiter leaves for a reason of its own; its `done` is dropped.
  void give_up(Ticket ticket, const Error& reason);

  // Ends every wait, and all later calls, with CLOSED.
  void close();

  // Somebody was refused at the door: told to whoever times out meanwhile, since that may be why.
  void note_refusal(std::string text);

  uint64_t max_value_bytes() const { return max_value_bytes_; }

 private:
  struct Entry {
    Value value;
    int64_t expires_ns = 0;  // 0: never
  };
  struct KeyWaiter {
    std::string key;
    Done done;
  };

  void check_open() const;
  void drop_expired();
  Entry* find(std::string_view key);
  void put(std::string_view key, Value value, int64_t expires_ns, Endings& endings);
  void erase(std::map<std::string, Entry, std::less<>>::iterator entry);
  std::optional<KeyWaiter> take_key_waiter(Ticket ticket);
  std::string refusals() const;

  const uint64_t max_value_bytes_;
  std::mutex mutex_;
  bool closed_ = false;
  uint64_t stored_bytes_ = 0;
  Ticket last_ticket_ = 0;
  std::map<std::string, Entry, std::less<>> entries_;
  std::set<std::pair<int64_t, std::string>> expiries_;
  std::unordered_map<Ticket, KeyWaiter> key_waiters_;
  std::multimap<std::string, Ticket, std::less<>> waiting_keys_;
  ExchangeRounds rounds_;
  std::vector<std::string> refusals_;
};

}  // namespace ps
