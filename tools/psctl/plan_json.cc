// By splicing texts: as a tree of JSON values a large layout would take fifty bytes a rank.
#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>

#include "plan_text.h"

namespace psctl {
namespace {

using Json = nlohmann::ordered_json;

std::string summary_json(const Summary& summary, const std::string& group) {
  Json json = Json::object();
  Json& names = json["names"] = Json::object();
  for (const NameSummary& name : summary.names) {
    if (!group.empty() && name.name != group) continue;
    Json& entry = names[name.name] = {{"groups", name.count}, {"size", name.size}};
    if (summary.hosts > 0) entry["crossing_hosts"] = name.crossing;
  }
  if (summary.hosts > 0) {
    json["gpus_per_host"] = summary.gpus_per_host;
    json["hosts"] = summary.hosts;
  }
  json["groups_per_rank"] = summary.groups_of_a_rank;
  json["communicators_per_rank"] = summary.communicators_of_a_rank;
  json["communicators"] = summary.communicators;
  json["torch_new_group_calls_per_rank"] = summary.new_group_calls;
  return json.dump();
}

void append_list(std::string& text, std::span<const int32_t> ranks) {
  text += '[';
  for (size_t i = 0; i < ranks.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{}{}", i == 0 ? "" : ",", ranks[i]);
  }
  text += ']';
}

std::string groups_json(const Groups& groups) {
  std::string text = "[";
  for (size_t i = 0; i < groups.count; ++i) {
    if (i > 0) text += ',';
    append_list(text, groups.at(i));
  }
  return text + "]";
}

Json start(const PlannedLayout& layout) {
  return {{"spec", layout.spec()}, {"world", layout.world()}, {"hash", layout.hash()}};
}

Json axes_json(const PlannedLayout& layout) {
  Json axes = Json::array();
  for (const PlannedLayout::Axis& axis : layout.axes()) axes.push_back({{"name", axis.name}, {"size", axis.size}});
  return axes;
}

Json aliases_json(const PlannedLayout& layout) {
  Json aliases = Json::object();
  for (const PlannedLayout::Name& name : layout.names()) {
    if (!name.alias_of.empty()) aliases[name.name] = name.alias_of;
  }
  return aliases;
}

// The members of an object without the brace that ends it.
std::string open(const Json& object) {
  std::string text = object.dump();
  text.pop_back();
  return text;
}

}  // namespace

std::string plan_json(const PlannedLayout& layout, const Summary& summary, const std::string& group) {
  const std::string end = ",\"summary\":" + summary_json(summary, group) + "}";
  if (group.empty()) {
    std::string text = layout.describe();
    text.pop_back();
    return text + end;
  }
  Json first = start(layout);
  first["axes"] = axes_json(layout);
  return open(first) + ",\"groups\":{" + Json(group).dump() + ":" + groups_json(layout.groups(group)) +
         "},\"aliases\":" + aliases_json(layout).dump() + end;
}

std::string rank_json(const PlannedLayout& layout, const PlanOptions& options) {
  const int32_t rank = *options.rank;
  Json first = start(layout);
  first["rank"] = rank;
  if (options.gpus_per_host) first["host"] = rank / *options.gpus_per_host;
  Json& coordinates = first["coordinates"] = Json::object();
  for (const PlannedLayout::Axis& axis : layout.axes()) {
    const int32_t coordinate = layout.coordinate(axis.name, rank);
    if (coordinate >= 0) coordinates[axis.name] = coordinate;
  }
  std::string text = open(first) + ",\"groups\":{";
  bool is_first = true;
  const auto add = [&](const std::string& name) {
    PlannedLayout::Place place;
    if (!layout.find(name, rank, place)) return;
    text += fmt::format("{}{}:{{\"index\":{},\"rank\":{},\"ranks\":", is_first ? "" : ",", Json(name).dump(),
                        place.group, place.index);
    append_list(text, layout.members(name, place.group));
    text += '}';
    is_first = false;
  };
  if (!options.group.empty()) {
    add(options.group);
  } else {
    for (const PlannedLayout::Name& name : layout.names()) add(name.name);
  }
  return text + "},\"aliases\":" + aliases_json(layout).dump() + "}";
}

}  // namespace psctl
