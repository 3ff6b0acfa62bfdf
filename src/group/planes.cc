#include "group/planes.h"

#include <algorithm>

#include "host/hier/hier_plane.h"
#include "host/local_plane.h"
#include "host/net/net_plane.h"
#include "host/shm/shm_plane.h"

namespace ps {

bool shares_memory(const World& world, const std::vector<int32_t>& members, const std::string& backend) {
  const int32_t node = world.member(world.rank()).node;
  return members.size() > 1 && backend != "gloo" &&
         std::all_of(members.begin(), members.end(), [&](int32_t rank) { return world.member(rank).node == node; });
}

MadePlane make_plane(World& world, const std::vector<int32_t>& members, const std::string& backend, uint64_t serial,
                     const Geometry& geometry, std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes,
                     const Dispatch& dispatch) {
  if (members.size() == 1) return {std::make_unique<LocalPlane>(), ""};
  const int rank = static_cast<int>(std::find(members.begin(), members.end(), world.rank()) - members.begin());
  if (memory) {
    std::vector<Doorbell*> doorbells;
    for (const int32_t member : members) doorbells.push_back(&world.lines(member)->doorbell);
    return {std::make_unique<ShmPlane>(std::move(memory), geometry, rank, std::move(doorbells), dispatch), ""};
  }
  if (backend == "shm") {
    return {nullptr, "its members are on several hosts and its backend is \"shm\", which moves data within one; \"auto\" "
                     "and \"gloo\" move it between hosts"};
  }
  try {
    return {std::make_unique<NetPlane>(find_transport("gloo"), world, serial, members, rank, host_buffer_bytes), ""};
  } catch (const Error& error) {
    return {nullptr, fmt::format("data cannot be moved between its members: {}", error.text())};
  }
}

MadePlane make_staged_plane(World& world, const std::vector<int32_t>& members, uint64_t serial, const Geometry& geometry,
                            std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes, const Dispatch& dispatch) {
  // A serial of the leaders' own: agreed ones do not come so far.
  constexpr uint64_t kLeaders = uint64_t{1} << 63;
  Hosts hosts(world, members);
  const int rank = static_cast<int>(std::find(members.begin(), members.end(), world.rank()) - members.begin());
  const auto place = static_cast<size_t>(hosts.place_of[static_cast<size_t>(rank)]);
  std::unique_ptr<ShmPlane> host;
  if (memory) {
    std::vector<Doorbell*> doorbells;
    for (const int mate : hosts.own_members()) {
      doorbells.push_back(&world.lines(members[static_cast<size_t>(mate)])->doorbell);
    }
    host = std::make_unique<ShmPlane>(std::move(memory), geometry, static_cast<int>(place), std::move(doorbells),
                                      dispatch);
  }
  try {
    const TransportModule& module = find_transport("gloo");
    auto flat = std::make_unique<NetPlane>(module, world, serial, members, rank, host_buffer_bytes);
    std::unique_ptr<NetPlane> leaders;
    if (place == 0) {
      std::vector<int32_t> global;
      for (const int leader : hosts.leaders) global.push_back(members[static_cast<size_t>(leader)]);
      leaders = std::make_unique<NetPlane>(module, world, serial | kLeaders, global, hosts.own, host_buffer_bytes);
    }
    return {std::make_unique<HierPlane>(std::move(hosts), rank, std::move(host), std::move(flat), std::move(leaders)), ""};
  } catch (const Error& error) {
    return {nullptr, fmt::format("data cannot be moved between its members: {}", error.text())};
  }
}

}  // namespace ps
