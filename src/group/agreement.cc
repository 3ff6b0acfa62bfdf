#include "group/agreement.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "control/memory_room.h"
#include "group/failure_text.h"

namespace ps {
namespace {

constexpr int64_t kResultOnItsWayMs = 10'000;

std::shared_ptr<SharedMemory> make_memory(const World& world, const SharedNeed& need) {
  require_memory(need.pages, need.owner);
  try {
    return SharedMemory::create(world.in_process(), need.name, need.bytes);
  } catch (const Error& error) {
    throw Error(error.code(), need.owner + ": " + error.text());
  }
}

}  // namespace

void Attempt::check(const std::vector<int32_t>& ranks, const AttemptNumbers& attempts, const std::string& doing) {
  int32_t culprit = PS_NO_RANK;
  for (size_t i = 0; i < ranks.size(); ++i) {
    if (!world_.has_abandoned(ranks[i], attempts[i])) continue;
    culprit = ranks[i];
    if (!world_.has_followed(ranks[i], attempts[i])) break;
  }
  if (culprit == PS_NO_RANK) return;
  follows_ = true;
  throw Error(PS_ERR_PEER_FAILED,
              fmt::format("{}: {} could not make its part; its own error says why", doing, world_.who(culprit)), culprit);
}

StopCheck check_making(const World& world, const std::vector<int32_t>& ranks, std::string doing) {
  return [&world, &ranks, doing = std::move(doing)] {
    world.check_living({}, doing);  // whether this rank leaves
    const int32_t dead = world.first_dead(ranks);
    if (dead == PS_NO_RANK) return;
    throw Error(PS_ERR_PEER_FAILED, fmt::format("{}: {} {}", doing, world.who(dead), world.how_lost(dead)), dead);
  };
}

StopCheck check_gathering(const World& world, const std::vector<int32_t>& ranks, std::string doing) {
  return [&world, &ranks, doing, check_deaths = check_making(world, ranks, doing),
          wait_until = Deadline::never()]() mutable {
    check_deaths();
    if (std::none_of(ranks.begin(), ranks.end(), [&](int32_t rank) { return world.has_left(rank); })) return;
    if (wait_until.ns() == Deadline::never().ns()) wait_until = Deadline::in_ms(kResultOnItsWayMs);
    if (wait_until.passed()) world.check_living(ranks, doing);
  };
}

Exchanged agree(const World& world, Kind kind, const std::string& label, std::string scope,
                std::vector<int32_t> members, std::string blob, Deadline deadline, const StopCheck& check) {
  Exchange exchange;
  exchange.scope = std::move(scope);
  exchange.members = std::move(members);
  exchange.tell_latecomers = true;
  exchange.rank = world.rank();
  exchange.blob = std::move(blob);
  exchange.who = world.who(world.rank());
  record_call(world, Signature{.kind = kind}, 0, record_name(label), true);
  return world.store()->exchange(exchange, deadline, check);
}

std::shared_ptr<SharedMemory> hand_over(const World& world, Offer& offer, bool is_first, std::string_view ticket,
                                        int size, const SharedNeed& need, Deadline deadline, const StopCheck& check) {
  std::shared_ptr<SharedMemory> memory;
  if (is_first) {
    try {
      memory = make_memory(world, need);
    } catch (const Error& error) {
      offer.refuse(error, size - 1, deadline, check);
      throw;
    }
    offer.give(memory, size - 1, deadline, check);
  } else {
    try {
      memory = offer.take(ticket, need.bytes, deadline, check);
    } catch (const Error& error) {
      // Who closed the connection had a reason, which is told rather than the consequence; a refusal says its own.
      if (error.code() != PS_ERR_NO_MEMORY) check();
      throw;
    }
  }
  memory->drop_descriptor();
  return memory;
}

}  // namespace ps
