#include "host/hier/hosts.h"

#include <algorithm>
#include <map>

namespace ps {

Hosts::Hosts(const World& world, const std::vector<int32_t>& global_ranks) {
  std::map<int32_t, int> seen;  // node to host
  size_t place = 0;
  for (size_t i = 0; i < global_ranks.size(); ++i) {
    const int rank = static_cast<int>(i);
    const auto [found, is_new] = seen.try_emplace(world.member(global_ranks[i]).node, static_cast<int>(members.size()));
    const int host = found->second;
    if (is_new) members.emplace_back();
    auto& mates = members[static_cast<size_t>(host)];
    host_of.push_back(host);
    place_of.push_back(static_cast<int>(mates.size()));
    mates.push_back(rank);
    if (global_ranks[i] == world.rank()) {
      own = host;
      place = static_cast<size_t>(place_of.back());
    }
  }
  for (const auto& mates : members) {
    if (place < mates.size()) column.push_back(mates[place]);
  }
}

bool Hosts::is_even() const {
  return std::all_of(members.begin(), members.end(), [&](const auto& mates) { return mates.size() == members[0].size(); });
}

}  // namespace ps
