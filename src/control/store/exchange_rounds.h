// The rounds of the exchange. A round is open from its first member's arrival until its last member's, or until the
// first thing that goes wrong, and then ends for all that wait in it alike. Not thread-safe: StoreData's lock guards
// it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/store/store.h"
#include "control/store/waiter.h"

namespace ps {

// Errors: ARGUMENT for a request that is wrong in itself.
void check_exchange(const Exchange& request);

class ExchangeRounds {
 public:
  // `one_world`: the store ends with the world that meets in it, so no later world can be told of this one's conflicts.
  explicit ExchangeRounds(bool one_world) : one_world_(one_world) {}

  // Errors: those of check_exchange.
  void arrive(Ticket ticket, const Exchange& request, Done done, Endings& endings);

  // Each of these returns whether the ticket waits in a round.
  bool time_out(Ticket ticket, int64_t waited_ms, const std::string& also, Endings& endings);
  bool disconnect(Ticket ticket, Endings& endings);
  bool give_up(Ticket ticket, const Error& reason, Endings& endings);

  void end_all(const Error& error, Endings& endings);

 private:
  struct Arrival {
    Ticket ticket = 0;
    std::string blob;
    std::string who;
    Done done;
  };
  struct Round {
    std::unordered_map<int32_t, size_t> places;  // world rank to place in the member list
    std::map<int32_t, Arrival> arrivals;
  };
  // By member list; the rounds of one scope.
  using Scope = std::map<std::vector<int32_t>, Round>;
  struct Place {
    std::string scope;
    std::vector<int32_t> members;
    int32_t rank = 0;
  };

  void complete(const std::vector<int32_t>& members, Round& round, Endings& endings);
  void fail_round(Round& round, const Error& error, Endings& endings);
  void erase(const std::string& scope, const std::vector<int32_t>& members);
  bool end_by_conflict(const Exchange& request, Endings& endings);
  // The ticket's place, its arrival taken out of its round.
  Round* leave(Ticket ticket, Place& place, std::string& who);

  // Remembers a conflict for the members of the rounds that have come to none of them, if they may be told.
  void owe(const Exchange& request, std::initializer_list<const Round*> rounds, const Error& error);

  const bool one_world_;
  uint64_t last_serial_ = 0;
  std::map<std::pair<std::string, int32_t>, Error> owed_;  // by scope and world rank
  std::map<std::string, Scope> scopes_;
  std::unordered_map<Ticket, Place> tickets_;
};

}  // namespace ps
