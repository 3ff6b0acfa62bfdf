#include "plan_summary.h"

#include <algorithm>
#include <unordered_map>

namespace psctl {
namespace {

// Numbers for member lists: equal lists have one number.
class Lists {
 public:
  uint32_t number_of(std::span<const int32_t> ranks) {
    uint64_t hash = ranks.size();
    for (const int32_t rank : ranks) {
      hash = (hash ^ static_cast<uint32_t>(rank)) * 0x9e3779b97f4a7c15u;
      hash ^= hash >> 32;
    }
    const auto [begin, end] = numbers_.equal_range(hash);
    for (auto entry = begin; entry != end; ++entry) {
      if (std::ranges::equal(lists_[entry->second], ranks)) return entry->second;
    }
    const auto number = static_cast<uint32_t>(lists_.size());
    numbers_.emplace(hash, number);
    lists_.push_back(ranks);
    return number;
  }
  size_t size() const { return lists_.size(); }

 private:
  std::unordered_multimap<uint64_t, uint32_t> numbers_;
  std::vector<std::span<const int32_t>> lists_;
};

size_t count_crossing(const Groups& groups, int32_t gpus_per_host) {
  if (gpus_per_host == 0 || groups.size < 2) return 0;
  size_t crossing = 0;
  for (size_t i = 0; i < groups.count; ++i) {
    const auto ranks = groups.at(i);
    const int32_t host = ranks[0] / gpus_per_host;
    crossing += std::ranges::any_of(ranks, [&](int32_t rank) { return rank / gpus_per_host != host; });
  }
  return crossing;
}

// Which lists each rank is in, of the names that were added.
class Memberships {
 public:
  Memberships(int32_t world, size_t names) : names_(names), numbers_(world * names, 0), counts_(world, 0) {}

  // The members of group i are in list lists[i].
  void add(const Groups& groups, const std::vector<uint32_t>& lists) {
    for (size_t i = 0; i < groups.count; ++i) {
      for (const int32_t rank : groups.at(i)) {
        ++counts_[rank];
        if (groups.size > 1) numbers_[rank * names_ + added_] = lists[i] + 1;
      }
    }
    ++added_;
  }
  size_t most_groups() const { return *std::ranges::max_element(counts_); }
  size_t most_lists() {
    size_t most = 0;
    for (auto row = numbers_.begin(); row != numbers_.end(); row += names_) {
      std::sort(row, row + names_);
      const auto end = std::unique(row, row + names_);
      most = std::max<size_t>(most, (end - row) - (*row == 0 ? 1 : 0));
    }
    return most;
  }

 private:
  ptrdiff_t names_;
  size_t added_ = 0;
  std::vector<uint32_t> numbers_;  // a row for each rank; 0 for none
  std::vector<uint32_t> counts_;
};

}  // namespace

Summary summarize(const PlannedLayout& layout, int32_t gpus_per_host, const std::string& merged) {
  Summary summary;
  summary.gpus_per_host = gpus_per_host;
  if (gpus_per_host > 0) summary.hosts = (layout.world() - 1) / gpus_per_host + 1;

  std::vector<Groups> all;  // of names of their own; lists point into them
  std::vector<std::vector<uint32_t>> numbers;
  Lists lists;
  Memberships memberships(layout.world(), layout.names().size());
  const auto find = [&](const std::string& name) -> NameSummary* {
    const auto found = std::ranges::find(summary.names, name, &NameSummary::name);
    return found == summary.names.end() ? nullptr : &*found;
  };
  const auto add = [&](const std::string& name) {
    NameSummary& row = summary.names.emplace_back();
    row.name = name;
    const Groups& groups = all.emplace_back(layout.groups(name));
    row.count = groups.count;
    row.size = groups.size;
    row.crossing = count_crossing(groups, gpus_per_host);
    std::vector<uint32_t> found;
    if (groups.size > 1) {
      for (size_t i = 0; i < groups.count; ++i) found.push_back(lists.number_of(groups.at(i)));
      const auto same = std::ranges::find(numbers, found);
      if (same != numbers.end()) row.same_as = all[same - numbers.begin()].name;
    }
    numbers.push_back(std::move(found));
  };
  for (const PlannedLayout::Name& name : layout.names()) {
    if (!name.alias_of.empty()) continue;
    add(name.name);
    memberships.add(all.back(), numbers.back());
    summary.new_group_calls += all.back().count;
  }
  summary.groups_of_a_rank = memberships.most_groups();
  summary.communicators_of_a_rank = memberships.most_lists();
  summary.communicators = lists.size();

  std::vector<NameSummary> in_order;
  for (const PlannedLayout::Name& name : layout.names()) {
    in_order.push_back(*find(layout.own_name(name)));
    in_order.back().name = name.name;
    in_order.back().alias_of = name.alias_of;
  }
  if (!merged.empty() && !layout.is_listed(merged)) {
    add(merged);
    in_order.push_back(summary.names.back());
  }
  summary.names = std::move(in_order);
  return summary;
}

}  // namespace psctl
