#include "group/warm_up.h"

#include <algorithm>

#include "control/waiting.h"

namespace ps {

void warm_up(World& world, const std::vector<std::shared_ptr<Communicator>>& communicators, Deadline deadline,
             const StopCheck& check) {
  for (const auto& communicator : communicators) communicator->connect();
  wait_until(world.doorbell(), world.wait_policy(), deadline, [&](bool thorough) {
    if (thorough) check();
    return std::all_of(communicators.begin(), communicators.end(), [](const auto& each) { return each->is_connected(); });
  });
}

}  // namespace ps
