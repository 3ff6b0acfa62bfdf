#include "host/shm/domains.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/transient.h"

namespace ps {
namespace {

// Cuts [0, size) where `same(i)` says that i does not belong to what is before it.
template <class Same>
std::vector<std::pair<size_t, size_t>> runs(size_t begin, size_t end, Same&& same) {
  std::vector<std::pair<size_t, size_t>> found;
  for (size_t i = begin; i < end; ++i) {
    if (i == begin || !same(i)) found.emplace_back(i, i);
    found.back().second = i + 1;
  }
  return found;
}

}  // namespace

Domains::Domains(const std::vector<CpuPlace>& places) {
  const size_t n = places.size();
  // Domains come in the order of their first members, so the first member leads all of them.
  const auto first_on = [&](auto&& same, size_t i) {
    return std::find_if(places.begin(), places.end(), [&](const CpuPlace& place) { return same(place, places[i]); }) - places.begin();
  };
  const auto same_node = [](const CpuPlace& a, const CpuPlace& b) { return a.node == b.node; };
  const auto same_cache = [](const CpuPlace& a, const CpuPlace& b) { return a == b; };
  TransientVector<std::pair<int, int>> key(n);
  for (size_t i = 0; i < n; ++i) key[i] = {static_cast<int>(first_on(same_node, i)), static_cast<int>(first_on(same_cache, i))};
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0);
  const auto key_at = [&](size_t position) { return key[static_cast<size_t>(order_[position])]; };
  std::stable_sort(order_.begin(), order_.end(),
                   [&](int a, int b) { return key[static_cast<size_t>(a)] < key[static_cast<size_t>(b)]; });
  position_of_.resize(n);
  // As many as there are in blocks of eight, of all levels; every rank keeps them for every other.
  const size_t blocks = n / (kMostUnits - 1) + 1;
  units_.reserve(n + blocks);
  parts_.reserve(n + blocks);
  for (size_t position = 0; position < n; ++position) {
    position_of_[static_cast<size_t>(order_[position])] = static_cast<int>(position);
    units_.push_back({{static_cast<int>(position), static_cast<int>(position) + 1}});
  }

  std::vector<int> nodes;
  for (const auto& [node_begin, node_end] : runs(0, n, [&](size_t i) { return key_at(i).first == key_at(i - 1).first; })) {
    std::vector<int> caches;
    for (const auto& [begin, end] : runs(node_begin, node_end, [&](size_t i) { return key_at(i) == key_at(i - 1); })) {
      std::vector<int> members(end - begin);
      std::iota(members.begin(), members.end(), static_cast<int>(begin));
      caches.push_back(join(std::move(members)));
    }
    nodes.push_back(join(std::move(caches)));
  }
  join(std::move(nodes));
}

// Into one, by as many levels as it takes; blocks of a level differ by one unit at most.
int Domains::join(std::vector<int> units) {
  while (units.size() > 1) {
    const size_t blocks = (units.size() + kMostUnits - 1) / kMostUnits;
    std::vector<int> joined;
    for (size_t block = 0; block < blocks; ++block) {
      const auto begin = units.begin() + static_cast<ptrdiff_t>(units.size() * block / blocks);
      const auto end = units.begin() + static_cast<ptrdiff_t>(units.size() * (block + 1) / blocks);
      const int made = static_cast<int>(units_.size());
      for (auto unit = begin; unit != end; ++unit) units_[static_cast<size_t>(*unit)].parent = made;
      units_.push_back({{units_[static_cast<size_t>(*begin)].range.begin, units_[static_cast<size_t>(*(end - 1))].range.end},
                        -1,
                        {static_cast<int>(parts_.size()), static_cast<int>(parts_.size()) + static_cast<int>(end - begin)}});
      parts_.insert(parts_.end(), begin, end);
      joined.push_back(made);
    }
    units = std::move(joined);
  }
  return units.front();
}

int Domains::leader(const Unit& unit, int root) const {
  const int position = position_of(root);
  const bool inside = position >= unit.range.begin && position < unit.range.end;
  return inside ? root : member_at(unit.range.begin);
}

Domains::Family Domains::family(int member, int root) const {
  Family family;
  int at = position_of(member);
  for (;;) {
    const int parent = units_[static_cast<size_t>(at)].parent;
    if (parent < 0) break;
    const Unit& block = units_[static_cast<size_t>(parent)];
    if (const int lead = leader(block, root); lead != member) {
      family.parent = lead;
      break;
    }
    for (const int unit : parts(block)) {
      if (unit == at) continue;
      const Unit& other = units_[static_cast<size_t>(unit)];
      family.children.push_back({leader(other, root), other.range});
    }
    at = parent;
  }
  family.range = units_[static_cast<size_t>(at)].range;
  return family;
}

std::string Domains::describe(const Unit& unit) const {
  if (unit.parts.size() == 0) return std::to_string(member_at(unit.range.begin));
  std::string text;
  for (const int other : parts(unit)) text += (text.empty() ? "" : " ") + describe(units_[static_cast<size_t>(other)]);
  return "(" + text + ")";
}

std::string Domains::describe() const { return describe(units_.back()); }

}  // namespace ps
