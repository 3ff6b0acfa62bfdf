// Which plane a communicator gets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/shared_memory.h"
#include "control/world.h"
#include "host/plane.h"
#include "host/shm/geometry.h"

namespace ps {

// Those of `members` on this rank's host who share memory: none where fewer than two are there, or where the backend does
// not want it. They may be a part of the members, who then go in stages. `backend`: of the group, "auto", "shm" or "gloo".
std::vector<int32_t> sharers(const World& world, const std::vector<int32_t>& members, const std::string& backend);

// What this rank says to the others of its transport before they make a plane: why it has none although these members need
// one, "" else.
std::string lacks_transport(const World& world, const std::vector<int32_t>& members, const std::string& backend);
// What the members said, put together: who is the first without one and why, "" where nobody is. One that lacks it makes no
// plane, so no other may wait for its data.
std::string who_lacks_transport(const World& world, const std::vector<int32_t>& members,
                                const TransientVector<std::string_view>& said);

struct MadePlane {
  std::unique_ptr<Plane> plane;  // nullptr: data cannot be moved between the members
  std::string why_not;
};

// `memory` is shared by sharers() and laid out as `geometry` says; nullptr where there are none. `serial`: of the
// communicator. `lacking`: see who_lacks_transport. The world outlives the plane. Errors: of this rank's transport.
MadePlane make_plane(World& world, const std::vector<int32_t>& members, const std::string& backend, uint64_t serial,
                     const Geometry& geometry, std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes,
                     const Dispatch& dispatch, const std::string& lacking);

}  // namespace ps
