// Which plane a communicator gets.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/shared_memory.h"
#include "control/world.h"
#include "host/plane.h"
#include "host/shm/geometry.h"

namespace ps {

// `memory` is shared by all members and laid out as `geometry` says; nullptr where they span hosts or are one. nullptr
// when this build has no plane for them.
std::unique_ptr<Plane> make_plane(const World& world, const std::vector<int32_t>& global_ranks,
                                  const Geometry& geometry, std::shared_ptr<SharedMemory> memory,
                                  const Dispatch& dispatch);

}  // namespace ps
