#include "layout/grid.h"

#include <algorithm>

namespace ps::layout {

Grid Grid::leftmost_fastest(std::string name, int64_t offset, const std::vector<Size>& sizes) {
  Grid grid(std::move(name), offset);
  for (const Size& each : sizes) {
    grid.axes_.push_back({each.name, each.size, grid.size_});
    grid.size_ *= each.size;
  }
  return grid;
}

Grid Grid::rightmost_fastest(std::string name, int64_t offset, const std::vector<Size>& sizes) {
  Grid grid = leftmost_fastest(std::move(name), offset, {sizes.rbegin(), sizes.rend()});
  std::reverse(grid.axes_.begin(), grid.axes_.end());
  return grid;
}

const Axis* Grid::find(std::string_view axis) const {
  for (const Axis& each : axes_) {
    if (!each.name.empty() && each.name == axis) return &each;
  }
  return nullptr;
}

Rule Grid::merged(const std::vector<std::string_view>& names) const {
  std::vector<Axis> fastest_first = axes_;
  std::stable_sort(fastest_first.begin(), fastest_first.end(),
                   [](const Axis& a, const Axis& b) { return a.stride < b.stride; });
  std::vector<Dimension> members;
  std::vector<Dimension> groups;
  for (const Axis& axis : fastest_first) {
    const bool named = std::find(names.begin(), names.end(), axis.name) != names.end() && !axis.name.empty();
    (named ? members : groups).push_back({axis.size, axis.stride});
  }
  return Rule(offset_, std::move(members), std::move(groups));
}

Dimension Grid::dimension(std::string_view axis) const {
  const Axis* found = find(axis);
  return found == nullptr ? Dimension{1, 1} : Dimension{found->size, found->stride};
}

Rule Grid::ordered(const std::vector<std::string_view>& members, const std::vector<std::string_view>& groups) const {
  std::vector<Dimension> inside;
  std::vector<Dimension> outside;
  for (const std::string_view axis : members) inside.push_back(dimension(axis));
  for (const std::string_view axis : groups) outside.push_back(dimension(axis));
  return Rule(offset_, std::move(inside), std::move(outside));
}

}  // namespace ps::layout
