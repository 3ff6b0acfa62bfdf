// Which plane a communicator gets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/shared_memory.h"
#include "control/world.h"
#include "host/plane.h"
#include "host/shm/geometry.h"

namespace ps {

// Whether `members` share memory and nothing else was asked for. `backend`: of the group, "auto", "shm" or "gloo".
bool shares_memory(const World& world, const std::vector<int32_t>& members, const std::string& backend);

struct MadePlane {
  std::unique_ptr<Plane> plane;  // nullptr: data cannot be moved between the members
  std::string why_not;
};

// `memory` is shared by all members and laid out as `geometry` says; nullptr where they do not share any. `serial`: of the
// communicator.
MadePlane make_plane(World& world, const std::vector<int32_t>& members, const std::string& backend, uint64_t serial,
                     const Geometry& geometry, std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes,
                     const Dispatch& dispatch);

// For members on several hosts: in stages where several are on one. `memory` is shared by those of this host.
MadePlane make_staged_plane(World& world, const std::vector<int32_t>& members, uint64_t serial, const Geometry& geometry,
                            std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes, const Dispatch& dispatch);

}  // namespace ps
