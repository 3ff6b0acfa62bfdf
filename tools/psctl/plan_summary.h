// What a layout costs: groups of each name, those that cross hosts, and the communicators behind them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plan_layout.h"

namespace psctl {

struct NameSummary {
  std::string name;
  std::string alias_of;  // "" for a name of its own
  std::string same_as;   // the first other name whose groups have equal members in equal order; "" for none
  size_t count = 0;
  size_t size = 0;
  size_t crossing = 0;  // groups with members on several hosts
};

struct Summary {
  std::vector<NameSummary> names;
  int32_t gpus_per_host = 0;  // 0: not known
  int32_t hosts = 0;
  size_t groups_of_a_rank = 0;         // the most that any rank is in; aliases do not count
  size_t communicators_of_a_rank = 0;  // the most that any rank needs, when equal member lists share one
  size_t communicators = 0;            // of the whole world
  // torch.distributed makes groups one at a time, and every rank makes all of them, members or not.
  size_t new_group_calls = 0;
};

// With the name `merged` too where it is not a listed one; "" for none. The totals are those of the listed names.
Summary summarize(const PlannedLayout& layout, int32_t gpus_per_host, const std::string& merged);

}  // namespace psctl
