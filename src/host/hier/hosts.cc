#include "host/hier/hosts.h"

#include <map>

namespace ps {

Hosts::Hosts(const World& world, const std::vector<int32_t>& global_ranks) {
  std::map<int32_t, int> seen;  // node to host
  for (size_t i = 0; i < global_ranks.size(); ++i) {
    const int rank = static_cast<int>(i);
    const auto [found, is_new] = seen.try_emplace(world.member(global_ranks[i]).node, static_cast<int>(members.size()));
    const int host = found->second;
    if (is_new) {
      members.emplace_back();
      leaders.push_back(rank);
    }
    auto& mates = members[static_cast<size_t>(host)];
    host_of.push_back(host);
    place_of.push_back(static_cast<int>(mates.size()));
    mates.push_back(rank);
    if (global_ranks[i] == world.rank()) own = host;
  }
}

}  // namespace ps
