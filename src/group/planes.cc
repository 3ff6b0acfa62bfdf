#include "group/planes.h"

#include <algorithm>
#include <iterator>

#include "host/hier/hier_plane.h"
#include "host/local_plane.h"
#include "host/net/net_plane.h"
#include "host/shm/shm_plane.h"

namespace ps {

namespace {

int place_of(const World& world, const std::vector<int32_t>& members) {
  return static_cast<int>(std::find(members.begin(), members.end(), world.rank()) - members.begin());
}

// `members`: those who share the memory.
std::unique_ptr<ShmPlane> shm_plane(const World& world, const std::vector<int32_t>& members, const Geometry& geometry,
                                    std::shared_ptr<SharedMemory> memory, const Dispatch& dispatch) {
  std::vector<LocalIndex> local;
  local.reserve(members.size());
  for (const int32_t member : members) local.push_back(static_cast<LocalIndex>(world.segment().roster().local_index(member)));
  std::optional<PeerMemory::Reach> reach;
  if (world.reach_each_other(members)) reach = {world.in_process(), world.reaching_pays(members)};
  return std::make_unique<ShmPlane>(world.segment(), std::move(memory), geometry, place_of(world, members), std::move(local),
                                    world.is_crowded(), reach, dispatch);
}

// In stages: shared memory on each host, the network between those at the same place of theirs.
std::unique_ptr<Plane> staged_plane(const TransportModule& module, World& world, const std::vector<int32_t>& members,
                                    Hosts hosts, uint64_t serial, const Geometry& geometry,
                                    std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes,
                                    const Dispatch& dispatch, std::unique_ptr<NetPlane> flat) {
  // A serial of its own for what each place of a host exchanges: agreed ones do not come so far.
  constexpr uint64_t kAcross = uint64_t{1} << 63;
  constexpr int kPlaceShift = 52;
  const int rank = place_of(world, members);
  const auto global = [&](const std::vector<int>& ranks) {
    std::vector<int32_t> list;
    for (const int member : ranks) list.push_back(members[static_cast<size_t>(member)]);
    return list;
  };
  std::unique_ptr<ShmPlane> host;
  if (memory) host = shm_plane(world, global(hosts.own_members()), geometry, std::move(memory), dispatch);
  const auto place = static_cast<uint64_t>(hosts.place_of[static_cast<size_t>(rank)]);
  std::unique_ptr<NetPlane> across;
  if (hosts.is_even() || place == 0) {
    across = std::make_unique<NetPlane>(module, world, serial | kAcross | place << kPlaceShift, global(hosts.column),
                                        hosts.own, host_buffer_bytes, dispatch);
  }
  return std::make_unique<HierPlane>(std::move(hosts), rank, std::move(host), std::move(flat), std::move(across),
                                     host_buffer_bytes, dispatch);
}

constexpr char kTransport[] = "gloo";

}  // namespace

std::vector<int32_t> sharers(const World& world, const std::vector<int32_t>& members, const std::string& backend) {
  std::vector<int32_t> here;
  const int32_t node = world.member(world.rank()).node;
  std::copy_if(members.begin(), members.end(), std::back_inserter(here),
               [&](int32_t rank) { return world.member(rank).node == node; });
  const bool wanted = backend == "auto" || (backend == "shm" && here.size() == members.size());
  if (!wanted || here.size() < 2) here.clear();
  return here;
}

std::string lacks_transport(const World& world, const std::vector<int32_t>& members, const std::string& backend) {
  if (members.size() == 1 || backend == "shm") return "";
  if (backend == "auto" && world.share_a_host(members)) return "";
  try {
    find_transport(kTransport);
    return "";
  } catch (const Error& error) {
    return error.text();
  }
}

std::string who_lacks_transport(const World& world, const std::vector<int32_t>& members,
                                const TransientVector<std::string_view>& said) {
  for (size_t i = 0; i < members.size(); ++i) {
    if (!said[i].empty()) return fmt::format("{}: {}", world.who(members[i]), said[i]);
  }
  return "";
}

MadePlane make_plane(World& world, const std::vector<int32_t>& members, const std::string& backend, uint64_t serial,
                     const Geometry& geometry, std::shared_ptr<SharedMemory> memory, uint64_t host_buffer_bytes,
                     const Dispatch& dispatch, const std::string& lacking) {
  if (members.size() == 1) return {std::make_unique<LocalPlane>(), ""};
  if (memory && world.share_a_host(members)) return {shm_plane(world, members, geometry, std::move(memory), dispatch), ""};
  if (backend == "shm") {
    return {nullptr, "its members are on several hosts and its backend is \"shm\", which moves data within one; \"auto\" "
                     "and \"gloo\" move it between hosts"};
  }
  if (!lacking.empty()) {
    return {nullptr, fmt::format("data cannot be moved between its members, of whom one has no transport: {}", lacking)};
  }
  const TransportModule& module = find_transport(kTransport);
  auto flat = std::make_unique<NetPlane>(module, world, serial, members, place_of(world, members), host_buffer_bytes,
                                         dispatch);
  Hosts hosts(world, members);
  if (!hosts.is_hierarchy() || backend != "auto") return {std::move(flat), ""};
  return {staged_plane(module, world, members, std::move(hosts), serial, geometry, std::move(memory), host_buffer_bytes,
                       dispatch, std::move(flat)),
          ""};
}

}  // namespace ps
