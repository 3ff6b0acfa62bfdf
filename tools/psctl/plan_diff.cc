#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "plan_columns.h"
#include "plan_fold.h"
#include "plan_text.h"

namespace psctl {
namespace {

using Json = nlohmann::ordered_json;

std::string value(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// "4", or "4 -> 2".
std::string change(const Json& pair) {
  return pair[0] == pair[1] ? pair[0].dump() : pair[0].dump() + " -> " + pair[1].dump();
}

std::string folded(const Json& ranks) { return fold(ranks.get<std::vector<int32_t>>()); }

}  // namespace

std::string diff_table(const PlannedLayout& one, const PlannedLayout& other, size_t width) {
  const Json difference = Json::parse(one.difference(other));
  const std::string world = counted(one.world(), "rank");
  if (difference["equal"].get<bool>()) {
    return fmt::format("No difference: both are {} of {}, hash {}\n", one.spec(), world, one.hash());
  }
  std::string text = wrap("first   " + one.spec(), width - 8, 8) + "\n";
  text += wrap("second  " + other.spec(), width - 8, 8) + "\n" + world + "\n\n";
  Columns keys({"key", "first", "second"});
  for (const Json& key : difference["keys"]) {
    keys.add({value(key["key"]), value(key["values"][0]), value(key["values"][1])});
  }
  text += keys.print(width) + "\n";

  Columns names({"name", "groups", "size", "first group that differs"});
  for (const auto& [name, change_of_it] : difference["groups"].items()) {
    if (change_of_it.contains("only")) {
      names.add({name, "", "", "only in the " + value(change_of_it["only"])});
      continue;
    }
    std::string groups = "all of the shorter list are equal";
    if (change_of_it.contains("first")) {
      const Json& first = change_of_it["first"];
      groups = fmt::format("#{} {} -> {}", first["index"].dump(), folded(first["ranks"][0]), folded(first["ranks"][1]));
    }
    names.add({name, change(change_of_it["counts"]), change(change_of_it["sizes"]), groups});
  }
  if (difference["groups"].empty()) return text + "All names have the same groups.\n";
  text += names.print(width);
  std::string equal;
  for (const PlannedLayout::Name& name : one.names()) {
    if (!difference["groups"].contains(name.name)) equal += (equal.empty() ? "" : ", ") + name.name;
  }
  if (!equal.empty()) text += "\n" + wrap("Equal: " + equal, width - 7, 7) + "\n";
  return text;
}

}  // namespace psctl
