// How a wait in the store ends: with bytes or an error, told once, after the store's lock is released.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"

namespace ps {

using Ticket = uint64_t;
using Value = std::shared_ptr<const std::string>;
using Outcome = std::variant<Value, Error>;
using Done = std::function<void(Outcome)>;

// Collected under a lock, run when it is released.
class Endings {
 public:
  Endings() = default;
  Endings(const Endings&) = delete;
  Endings& operator=(const Endings&) = delete;

  void add(Done done, Outcome outcome) { endings_.emplace_back(std::move(done), std::move(outcome)); }
  void run() {
    for (auto& [done, outcome] : endings_) done(std::move(outcome));
    endings_.clear();
  }

 private:
  std::vector<std::pair<Done, Outcome>> endings_;
};

}  // namespace ps
