// PS_WARM_UP: connecting when groups are made, not at their first operation.
#pragma once

#include <memory>
#include <vector>

#include "base/deadline.h"
#include "group/communicator.h"

namespace ps {

// All at once, as members come to them in different orders. Who cannot be reached is no error here: the first operation
// that needs it says so. `check` throws when somebody will never come.
void warm_up(World& world, const std::vector<std::shared_ptr<Communicator>>& communicators, Deadline deadline,
             const StopCheck& check);

}  // namespace ps
