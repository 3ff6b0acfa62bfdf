#include "control/store/exchange_rounds.h"

#include <algorithm>
#include <utility>

#include "base/transient.h"
#include "control/store/message.h"

namespace ps {
namespace {

constexpr size_t kMostNamed = 16;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) text += (i == 0 ? "" : "; ") + names[i];
  if (names.size() > kMostNamed) text += fmt::format("; and {} more", names.size() - kMostNamed);
  return names.empty() ? "nobody" : text;
}

std::string listed(const std::vector<int32_t>& members) {
  std::string text = "[";
  for (size_t i = 0; i < std::min(members.size(), 2 * kMostNamed); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", members[i]);
  }
  if (members.size() > 2 * kMostNamed) text += fmt::format(", and {} more", members.size() - 2 * kMostNamed);
  return text + "]";
}

std::string name_of(const Exchange& request) {
  return request.who.empty() ? fmt::format("rank {}", request.rank) : printable(request.who, kLongestWho);
}

std::string call_of(const std::string& scope) { return fmt::format("the exchange \"{}\"", printable(scope, 200)); }

}  // namespace

void check_exchange(const Exchange& request) {
  const std::vector<int32_t>& members = request.members;
  if (request.scope.size() > kLongestScope || request.who.size() > kLongestWho) {
    fail(PS_ERR_ARGUMENT, "an exchange's scope has at most {} bytes and its caller's name {}; these have {} and {}",
         kLongestScope, kLongestWho, request.scope.size(), request.who.size());
  }
  if (request.blob.size() > kLongestBlob) {
    fail(PS_ERR_ARGUMENT, "{}: {} gives {} bytes, and the limit is {}", call_of(request.scope), name_of(request),
         request.blob.size(), kLongestBlob);
  }
  if (members.size() > kMostMembers) {
    fail(PS_ERR_ARGUMENT, "{}: {} names {} members, and the limit is {}", call_of(request.scope), name_of(request),
         members.size(), kMostMembers);
  }
  TransientVector<int32_t> sorted(members.begin(), members.end());
  std::sort(sorted.begin(), sorted.end());
  const bool are_distinct = std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end();
  if (!are_distinct || !std::binary_search(sorted.begin(), sorted.end(), request.rank)) {
    fail(PS_ERR_ARGUMENT, "{}: the members {} must be distinct and contain the caller, {}", call_of(request.scope),
         listed(members), name_of(request));
  }
}

void ExchangeRounds::arrive(Ticket ticket, const Exchange& request, Done done, Endings& endings) {
  check_exchange(request);
  if (const auto owed = owed_.find({request.scope, request.rank}); owed != owed_.end()) {
    endings.add(std::move(done), owed->second);
    owed_.erase(owed);
    return;
  }
  Scope& scope = scopes_[request.scope];
  Round& round = scope[request.members];
  if (round.places.empty()) {
    for (size_t i = 0; i < request.members.size(); ++i) round.places[request.members[i]] = i;
  }
  const auto before = round.arrivals.find(request.rank);
  if (before != round.arrivals.end()) {
    const Error error(PS_ERR_ARGUMENT,
                      fmt::format("{}: rank {} arrived twice in one round, as \"{}\" and as \"{}\"; two processes have "
                                  "the same rank, or two threads of one call at the same time",
                                  call_of(request.scope), request.rank, before->second.who, name_of(request)),
                      request.rank);
    endings.add(std::move(done), error);
    owe(request, {&round}, error);
    fail_round(round, error, endings);
    erase(request.scope, request.members);
    return;
  }
  round.arrivals.emplace(request.rank, Arrival{ticket, request.blob, name_of(request), std::move(done)});
  tickets_[ticket] = {request.scope, request.members, request.rank};
  if (round.arrivals.size() == request.members.size()) {
    complete(request.members, round, endings);
    erase(request.scope, request.members);
    return;
  }
  end_by_conflict(request, endings);
}

// Two that wait for each other in different rounds would do so for ever. The newcomer is one of them, or there was a
// conflict before it came.
bool ExchangeRounds::end_by_conflict(const Exchange& request, Endings& endings) {
  Scope& scope = scopes_.at(request.scope);
  Round& mine = scope.at(request.members);
  for (auto& [members, other] : scope) {
    if (&other == &mine || !other.places.contains(request.rank) || other.arrivals.contains(request.rank)) continue;
    for (const auto& [rank, arrival] : other.arrivals) {
      if (!mine.places.contains(rank) || mine.arrivals.contains(rank)) continue;
      const Error error(
          PS_ERR_MISMATCH,
          fmt::format("{}: {} calls it with the members {}, and {} with the members {}; all members must pass the same "
                      "list in the same order",
                      call_of(request.scope), mine.arrivals.at(request.rank).who, listed(request.members),
                      arrival.who, listed(members)));
      const std::vector<int32_t> others = members;
      owe(request, {&mine, &other}, error);
      fail_round(mine, error, endings);
      fail_round(other, error, endings);
      erase(request.scope, request.members);
      erase(request.scope, others);
      return true;
    }
  }
  return false;
}

void ExchangeRounds::owe(const Exchange& request, std::initializer_list<const Round*> rounds, const Error& error) {
  if (!one_world_ && !request.tell_latecomers) return;
  for (const Round* const round : rounds) {
    for (const auto& [rank, place] : round->places) {
      const bool came = std::any_of(rounds.begin(), rounds.end(),
                                    [rank = rank](const Round* other) { return other->arrivals.contains(rank); });
      if (!came) owed_.emplace(std::pair(request.scope, rank), error);
    }
  }
}

void ExchangeRounds::complete(const std::vector<int32_t>& members, Round& round, Endings& endings) {
  TransientVector<std::string_view> blobs;
  blobs.reserve(members.size());
  for (const int32_t member : members) blobs.push_back(round.arrivals.at(member).blob);
  // One copy for all members: a thousand ranks' replies are the same bytes.
  const auto bytes = std::make_shared<const std::string>(encode_exchanged(++last_serial_, blobs));
  for (auto& [rank, arrival] : round.arrivals) {
    tickets_.erase(arrival.ticket);
    endings.add(std::move(arrival.done), bytes);
  }
}

void ExchangeRounds::fail_round(Round& round, const Error& error, Endings& endings) {
  for (auto& [rank, arrival] : round.arrivals) {
    tickets_.erase(arrival.ticket);
    endings.add(std::move(arrival.done), error);
  }
}

void ExchangeRounds::erase(const std::string& scope, const std::vector<int32_t>& members) {
  const auto found = scopes_.find(scope);
  found->second.erase(members);
  if (found->second.empty()) scopes_.erase(found);
}

bool ExchangeRounds::time_out(Ticket ticket, int64_t waited_ms, const std::string& also, Endings& endings) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return false;
  const Place place = found->second;
  Round& round = scopes_.at(place.scope).at(place.members);
  std::vector<std::string> arrived;
  std::vector<std::string> missing;
  int32_t culprit = PS_NO_RANK;
  for (const int32_t member : place.members) {
    const auto arrival = round.arrivals.find(member);
    if (arrival != round.arrivals.end()) {
      arrived.push_back(arrival->second.who);
    } else {
      if (culprit == PS_NO_RANK) culprit = member;
      missing.push_back(fmt::format("rank {}", member));
    }
  }
  const Error error(PS_ERR_TIMEOUT,
                    fmt::format("{}: {} of {} ranks arrived within {} ms. Arrived: {}. Missing: {}.{}",
                                call_of(place.scope), arrived.size(), place.members.size(), waited_ms, listed(arrived),
                                listed(missing), also),
                    culprit);
  fail_round(round, error, endings);
  erase(place.scope, place.members);
  return true;
}

ExchangeRounds::Round* ExchangeRounds::leave(Ticket ticket, Place& place, std::string& who) {
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return nullptr;
  place = found->second;
  tickets_.erase(found);
  Round& round = scopes_.at(place.scope).at(place.members);
  who = round.arrivals.at(place.rank).who;
  round.arrivals.erase(place.rank);
  return &round;
}

bool ExchangeRounds::disconnect(Ticket ticket, Endings& endings) {
  Place place;
  std::string who;
  Round* const round = leave(ticket, place, who);
  if (round == nullptr) return false;
  fail_round(*round,
             Error(PS_ERR_PEER_FAILED,
                   fmt::format("{}: {} is gone: its connection ended while it waited", call_of(place.scope), who),
                   place.rank),
             endings);
  erase(place.scope, place.members);
  return true;
}

bool ExchangeRounds::give_up(Ticket ticket, const Error& reason, Endings& endings) {
  Place place;
  std::string who;
  Round* const round = leave(ticket, place, who);
  if (round == nullptr) return false;
  // Who left because another died is not to blame.
  const bool passes_on = reason.code() == PS_ERR_PEER_FAILED && reason.culprit() != PS_NO_RANK;
  fail_round(*round,
             Error(PS_ERR_PEER_FAILED,
                   fmt::format("{}: {} gave up waiting: {}", call_of(place.scope), who, reason.text()),
                   passes_on ? reason.culprit() : place.rank),
             endings);
  erase(place.scope, place.members);
  return true;
}

void ExchangeRounds::end_all(const Error& error, Endings& endings) {
  for (auto& [name, scope] : scopes_) {
    for (auto& [members, round] : scope) fail_round(round, error, endings);
  }
  scopes_.clear();
}

}  // namespace ps
