#include "group/agreement.h"

#include <utility>

#include "group/failure_text.h"

namespace ps {

Exchanged agree(const World& world, Kind kind, const std::string& label, std::string scope,
                std::vector<int32_t> members, std::string blob, Deadline deadline, const StopCheck& check) {
  Exchange exchange;
  exchange.scope = std::move(scope);
  exchange.members = std::move(members);
  exchange.tell_latecomers = true;
  exchange.rank = world.rank();
  exchange.blob = std::move(blob);
  exchange.who = world.who(world.rank());
  record_call(world, Signature{.kind = kind}, 0, label, true);
  return world.store()->exchange(exchange, deadline, check);
}

std::shared_ptr<SharedMemory> hand_over(const World& world, Offer& offer, bool is_first, const std::string& ticket,
                                        int size, const char* name, size_t bytes, Deadline deadline,
                                        const StopCheck& check) {
  std::shared_ptr<SharedMemory> memory;
  if (is_first) {
    memory = world.in_process() ? SharedMemory::create_in_process(bytes)
                                : SharedMemory::create_for_processes(name, bytes);
    offer.give(memory, size - 1, deadline, check);
  } else {
    memory = offer.take(ticket, bytes, deadline, check);
  }
  memory->drop_descriptor();
  return memory;
}

}  // namespace ps
