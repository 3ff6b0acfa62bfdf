#include "group/agreement.h"

#include <utility>

#include "base/error.h"
#include "control/memory_room.h"
#include "group/failure_text.h"

namespace ps {
namespace {

std::shared_ptr<SharedMemory> make_memory(const World& world, const SharedNeed& need) {
  require_memory(need.pages, need.owner);
  try {
    return SharedMemory::create(world.in_process(), need.name, need.bytes);
  } catch (const Error& error) {
    throw Error(error.code(), need.owner + ": " + error.text());
  }
}

}  // namespace

void Attempt::check(const std::vector<int32_t>& ranks, const std::vector<uint64_t>& attempts, const std::string& doing) {
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
