// The general presets. grid: any axes, the leftmost fastest, with further factorisations of the same ranks as views;
// mesh: row-major, as PyTorch's DeviceMesh, and its order of the groups.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "layout/plan.h"
#include "layout/sizes.h"

namespace ps::layout {
namespace {

// The axes of a section with '*' resolved. Their product is the number of ranks, which the base grid's own product
// defines for views.
std::vector<Grid::Size> axes_of(const Sizes& sizes, const Section& section, const Total& ranks) {
  std::vector<Factor> factors;
  for (const Entry& entry : section.entries) {
    if (entry.key == "rank_offset") {
      if (&section == &sizes.spec().preset()) continue;
      sizes.spec().refuse(entry, "a view has the rank_offset of its base; write it there alone");
    }
    factors.push_back({entry.key, sizes.spec().size_of(entry, true), entry.position});
  }
  if (factors.empty()) sizes.spec().refuse(section.position, fmt::format("'{}' has no axis", shown(section.name)));
  std::vector<Factor*> pointers;
  for (Factor& factor : factors) pointers.push_back(&factor);
  sizes.require_equal(pointers, ranks);
  std::vector<Grid::Size> axes;
  for (const Factor& factor : factors) axes.push_back({factor.key, factor.value});
  return axes;
}

// DeviceMesh lists the groups of an axis by exchanging it with the last one and counting row by row.
Rule mesh_rule(const Grid& grid, size_t axis) {
  const std::vector<Axis>& axes = grid.axes();
  std::vector<std::string_view> slowest_first;
  for (size_t i = 0; i + 1 < axes.size(); ++i) slowest_first.push_back(i == axis ? axes.back().name : axes[i].name);
  return grid.ordered({axes[axis].name}, {slowest_first.rbegin(), slowest_first.rend()});
}

// An axis of a view that has a base axis' name is the same axis: its groups must be the same ones.
void require_shared(const Spec& spec, const Section& section, const Grid& base, const Grid& view, const Axis& axis) {
  const Rule in_base = base.merged({axis.name});
  const Rule in_view = view.merged({axis.name});
  if (in_base.same_groups(in_view)) return;
  const auto list = [](const Rule& rule) {
    std::vector<int64_t> ranks;
    for (int64_t i = 0; i < std::min<int64_t>(rule.group_size(), 4); ++i) ranks.push_back(rule.rank(0, i));
    return fmt::format("[{}{}]", fmt::join(ranks, ","), rule.group_size() > 4 ? ",..." : "");
  };
  spec.refuse(*section.find(axis.name),
              fmt::format("axis '{}' is shared with the base, but its groups differ: the first is {} there and {} in "
                          "view '{}'; give it the same size and the same product of sizes to its left",
                          shown(axis.name), list(in_base), list(in_view), shown(view.name())));
}

}  // namespace

Plan plan_grid(const Spec& spec, int64_t world) {
  const Section& preset = spec.preset();
  const bool mesh = preset.name == "mesh";
  const Sizes sizes(spec);
  const int64_t offset = rank_offset(sizes, world);
  Plan plan;
  CanonicalSpec canonical(preset.name);

  const std::vector<Grid::Size> axes = axes_of(sizes, preset, Total::world(world, offset));
  plan.grids.push_back(mesh ? Grid::rightmost_fastest("", offset, axes) : Grid::leftmost_fastest("", offset, axes));
  for (size_t i = 0; i < axes.size(); ++i) {
    plan.add(axes[i].name, mesh ? mesh_rule(plan.grids[0], i) : plan.grids[0].merged({axes[i].name}));
    canonical.always(axes[i].name, axes[i].size);
  }
  canonical.unless(0, "rank_offset", offset);

  for (const Section& section : spec.views()) {
    if (mesh) spec.refuse(section.position, "a mesh has no views; a grid has");
    const std::vector<Grid::Size> view_axes = axes_of(sizes, section, Total::world(world, offset));
    const Grid view = Grid::leftmost_fastest(section.name, offset, view_axes);
    canonical.view(section.name);
    for (const Axis& axis : view.axes()) {
      canonical.always(axis.name, axis.size);
      if (plan.grids[0].find(axis.name) != nullptr) {
        require_shared(spec, section, plan.grids[0], view, axis);
      } else if (plan.find(axis.name) != nullptr) {
        spec.refuse(*section.find(axis.name), fmt::format("another view has an axis '{}' already", shown(axis.name)));
      } else {
        plan.add(axis.name, view.merged({axis.name}));
      }
    }
    plan.grids.push_back(view);
  }
  plan.spec = canonical.text();
  return plan;
}

}  // namespace ps::layout
