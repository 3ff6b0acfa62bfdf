// What one rank is. Asks about this rank alone, so a world of a million ranks costs no more than one of eight.
#include <fmt/format.h>

#include "plan_columns.h"
#include "plan_fold.h"
#include "plan_text.h"

namespace psctl {
namespace {

std::string coordinates(const PlannedLayout& layout, int32_t rank) {
  if (layout.coordinate(layout.axes().front().name, rank) < 0) return "below rank_offset, so it belongs to no group";
  std::string text = "coordinates";
  for (const PlannedLayout::Axis& axis : layout.axes()) {
    const int32_t coordinate = layout.coordinate(axis.name, rank);
    if (axis.size > 1 && coordinate >= 0) text += fmt::format(" {}={}", axis.name, coordinate);
  }
  return text;
}

}  // namespace

std::string rank_table(const PlannedLayout& layout, const PlanOptions& options, size_t width) {
  const int32_t rank = *options.rank;
  std::string text = wrap(layout.spec(), width - 2, 2) + "\n";
  text += fmt::format("rank {} of {}", rank, layout.world());
  if (options.gpus_per_host) {
    text += fmt::format(", GPU {} of host {}", rank % *options.gpus_per_host, rank / *options.gpus_per_host);
  }
  Columns columns({"name", ">group", ">of", ">place", ">of", "members"});
  const auto add = [&](const std::string& name, const std::string& alias_of) {
    PlannedLayout::Place place;
    if (!layout.find(name, rank, place)) {
      columns.add({name, "-", std::to_string(layout.group_count(name)), "-", std::to_string(layout.group_size(name)),
                   "in no group"});
      return;
    }
    const std::vector<int32_t> members = layout.members(name, place.group);
    columns.add({name, "#" + std::to_string(place.group), std::to_string(layout.group_count(name)),
                 std::to_string(place.index), std::to_string(members.size()),
                 alias_of.empty() ? fold(members) : "alias of " + alias_of});
  };
  if (!options.group.empty()) {
    add(options.group, "");
  } else {
    for (const PlannedLayout::Name& name : layout.names()) add(name.name, name.alias_of);
  }
  return text + "\n" + wrap(coordinates(layout, rank), width - 12, 12) + "\n\n" + columns.print(width);
}

}  // namespace psctl
