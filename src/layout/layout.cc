#include "layout/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "base/fnv1a.h"

namespace ps::layout {
namespace {

constexpr size_t kShownSpec = 200;  // in errors

using Planner = Plan (*)(const Spec&, int64_t);
constexpr std::array<std::pair<std::string_view, Planner>, 7> kPresets = {{{"sglang", plan_sglang},
                                                                           {"vllm", plan_vllm},
                                                                           {"megatron", plan_megatron},
                                                                           {"trtllm", plan_trtllm},
                                                                           {"deepspeed", plan_deepspeed},
                                                                           {"grid", plan_grid},
                                                                           {"mesh", plan_grid}}};

Plan plan(std::string_view text, int64_t world) {
  if (world < 1) fail(PS_ERR_ARGUMENT, "a layout needs a world of at least 1 rank, not {}", world);
  const Spec spec(text);
  for (const auto& [name, planner] : kPresets) {
    if (spec.preset().name != name) continue;
    Plan made = planner(spec, world);
    if (made.spec.size() > kMaxSpecBytes) {
      spec.refuse(1, fmt::format("with every size written out the spec has {} bytes; at most {} are possible",
                                 made.spec.size(), kMaxSpecBytes));
    }
    return made;
  }
  std::vector<std::string_view> names;
  for (const auto& preset : kPresets) names.push_back(preset.first);
  spec.refuse(1, fmt::format("unknown preset '{}'; there are {}", shown(spec.preset().name), fmt::join(names, ", ")));
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = kFnv1aStart;
  for (const char c : text) hash = fnv1a(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace

Layout::Layout(std::string_view spec, int64_t world)
    : plan_(plan(spec, world)), world_(world), hash_(hash_of(fmt::format("{}@{}", plan_.spec, world))) {
  for (const Grid& grid : plan_.grids) {
    for (const Axis& axis : grid.axes()) {
      if (axis.name.empty()) continue;
      axes_.push_back({grid.name().empty() ? axis.name : grid.name() + "." + axis.name, &grid, &axis});
    }
  }
}

Rule Layout::rule(std::string_view name) const {
  if (const Name* found = plan_.find(name)) return found->rule;
  const std::vector<std::string_view> axes = split(name, '-');
  if (axes.size() > 1) {
    std::vector<std::string_view> sorted = axes;
    std::sort(sorted.begin(), sorted.end());
    const bool repeated = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
    for (const Grid& grid : plan_.grids) {
      const auto known = [&](std::string_view axis) { return grid.find(axis) != nullptr; };
      if (!repeated && std::all_of(axes.begin(), axes.end(), known)) return grid.merged(axes);
    }
  }
  std::vector<std::string_view> names;
  for (const Name& each : plan_.names) names.push_back(each.name);
  fail(PS_ERR_NOT_FOUND, "layout '{}' has no groups '{}'; there are {}, and different axes of one grid merged by '-'",
       shown(plan_.spec, kShownSpec), shown(name), listed(names));
}

int64_t Layout::coordinate(std::string_view axis, int64_t rank) const {
  const NamedAxis* found = nullptr;
  for (const NamedAxis& each : axes_) {
    if (each.name == axis) {
      found = &each;
      break;
    }
    // The base grid comes first, so that a shared axis is the base's.
    if (found == nullptr && each.axis->name == axis) found = &each;
  }
  if (found == nullptr) {
    std::vector<std::string_view> names;
    for (const NamedAxis& each : axes_) names.push_back(each.name);
    fail(PS_ERR_NOT_FOUND, "layout '{}' has no axis '{}'; there are {}", shown(plan_.spec, kShownSpec), shown(axis),
         listed(names));
  }
  if (rank < 0 || rank >= world_) {
    fail(PS_ERR_ARGUMENT, "rank {} is not in the world 0 .. {}", rank, world_ - 1);
  }
  if (!found->grid->contains(rank)) {
    fail(PS_ERR_NOT_FOUND, "rank {} is in none of the groups of layout '{}', whose ranks are {} .. {}", rank,
         shown(plan_.spec, kShownSpec), found->grid->offset(), found->grid->offset() + found->grid->size() - 1);
  }
  return found->grid->coordinate(*found->axis, rank);
}

}  // namespace ps::layout
