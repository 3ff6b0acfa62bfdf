#include "host/shm/domains.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/transient.h"

namespace ps {

Domains::Domains(std::span<const CpuPlace> places) : size_(static_cast<int>(places.size())) {
  const size_t n = places.size();
  // Domains come in the order of their first members, so the first member leads all of them.
  const auto first_on = [&](auto&& same, size_t i) {
    return std::find_if(places.begin(), places.end(), [&](const CpuPlace& place) { return same(place, places[i]); }) - places.begin();
  };
  const auto same_node = [](const CpuPlace& a, const CpuPlace& b) { return a.node == b.node; };
  const auto same_cache = [](const CpuPlace& a, const CpuPlace& b) { return a == b; };
  TransientVector<std::pair<int, int>> key(n);
  for (size_t i = 0; i < n; ++i) key[i] = {static_cast<int>(first_on(same_node, i)), static_cast<int>(first_on(same_cache, i))};
  if (!std::is_sorted(key.begin(), key.end())) {
    order_.resize(n);
    std::iota(order_.begin(), order_.end(), 0);
    std::stable_sort(order_.begin(), order_.end(),
                     [&](int a, int b) { return key[static_cast<size_t>(a)] < key[static_cast<size_t>(b)]; });
    position_of_.resize(n);
    for (int position = 0; position < size_; ++position) position_of_[static_cast<size_t>(member_at(position))] = position;
  }
  const auto key_at = [&](int position) { return key[static_cast<size_t>(member_at(position))]; };
  const auto where = [&](auto&& begins) {
    Bounds bounds;
    for (int position = 0; position < size_; ++position) {
      if (position == 0 || begins(key_at(position - 1), key_at(position))) bounds.push_back(position);
    }
    bounds.push_back(size_);
    return bounds;
  };
  join(where([](const auto& before, const auto& key) { return key != before; }));
  join(where([](const auto& before, const auto& key) { return key.first != before.first; }));
  join({0, size_});
}

// Blocks of a domain and level differ by one unit at most.
void Domains::join(const Bounds& domains) {
  for (;;) {
    Bounds next;
    bool joins = false;
    for (size_t i = 0; i + 1 < domains.size(); ++i) {
      const Range domain{domains[i], domains[i + 1]};
      int units = 0;
      visit_units(levels(), domain, [&](Range) { ++units; });
      const int blocks = (units + kMostUnits - 1) / kMostUnits;
      joins = joins || units > 1;
      int seen = 0;
      int block = 0;
      visit_units(levels(), domain, [&](Range unit) {
        if (seen++ != units * block / blocks) return;
        next.push_back(unit.begin);
        ++block;
      });
    }
    if (!joins) return;
    next.push_back(size_);
    next.shrink_to_fit();
    bounds_.push_back(std::move(next));
  }
}

Domains::Range Domains::unit_at(int level, int position) const {
  if (level == 0) return {position, position + 1};
  const Bounds& bounds = bounds_[static_cast<size_t>(level) - 1];
  const auto end = std::upper_bound(bounds.begin(), bounds.end(), position);
  return {*(end - 1), *end};
}

int Domains::leader(Range block, int root) const { return block.contains(position_of(root)) ? root : member_at(block.begin); }

Domains::Family Domains::family(int member, int root) const {
  Family family;
  Range own = unit_at(0, position_of(member));
  for (int level = 1; level <= levels(); ++level) {
    const Range block = unit_at(level, own.begin);
    if (const int lead = leader(block, root); lead != member) {
      family.parent = lead;
      break;
    }
    visit_units(level - 1, block, [&](Range unit) {
      if (unit != own) family.children.push_back({leader(unit, root), unit});
    });
    own = block;
  }
  family.range = own;
  return family;
}

std::string Domains::describe(int level, Range block) const {
  if (level == 0) return std::to_string(member_at(block.begin));
  if (unit_at(level - 1, block.begin) == block) return describe(level - 1, block);
  std::string text = "(";
  visit_units(level - 1, block, [&](Range unit) {
    if (unit.begin > block.begin) text += " ";
    text += describe(level - 1, unit);
  });
  text += ")";
  return text;
}

std::string Domains::describe() const { return describe(levels(), {0, size_}); }

}  // namespace ps
