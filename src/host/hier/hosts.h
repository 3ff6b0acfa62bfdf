// The members of a group by the host they are on. Hosts are in the order of their first members, their leaders.
#pragma once

#include <cstdint>
#include <vector>

#include "control/world.h"

namespace ps {

struct Hosts {
  Hosts(const World& world, const std::vector<int32_t>& global_ranks);

  std::vector<std::vector<int>> members;  // ranks in the group, in its order
  std::vector<int> host_of;               // by member
  std::vector<int> place_of;              // by member: which of its host's members
  std::vector<int> column;                // at this rank's place on each host that has so many members, in their order
  int own = 0;                            // this rank's host

  const std::vector<int>& own_members() const { return members[static_cast<size_t>(own)]; }
  // As many members on each host: columns are all as long as there are hosts.
  bool is_even() const;
  // Several hosts, and several members on one of them at least.
  bool is_hierarchy() const { return members.size() > 1 && members.size() < host_of.size(); }
};

}  // namespace ps
