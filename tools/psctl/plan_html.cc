#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "plan_page.h"
#include "plan_picture.h"
#include "plan_text.h"

namespace psctl {
namespace {

using Json = nlohmann::ordered_json;

// Every rank's coordinate on the axes that have more than one.
Json coordinates(const PlannedLayout& layout) {
  Json all = Json::object();
  for (const PlannedLayout::Axis& axis : layout.axes()) {
    if (axis.size == 1) continue;
    Json& list = all[axis.name] = Json::array();
    for (int32_t rank = 0; rank < layout.world(); ++rank) list.push_back(layout.coordinate(axis.name, rank));
  }
  return all;
}

// So that no text in it can end the script, nor its section of character data.
std::string for_script(const std::string& json) {
  std::string text;
  for (const char c : json) {
    if (c == '<') text += "\\u003c";
    else if (c == '>') text += "\\u003e";
    else text += c;
  }
  return text;
}

void replace(std::string& text, const std::string& mark, const std::string& with) {
  const size_t at = text.find(mark);
  if (at != std::string::npos) text.replace(at, mark.size(), with);
}

}  // namespace

std::string plan_html(const PlannedLayout& layout, const Summary& summary, const PlanOptions& options) {
  const std::string merged =
      options.group.empty() || layout.is_listed(options.group) ? "null" : plan_json(layout, summary, options.group);
  const Json view = {{"name", pictured_name(layout, options)},
                     {"rank", options.rank ? Json(*options.rank) : Json()},
                     {"colors", kGroupColors},
                     {"patterns", kPatterns},
                     {"coordinates", coordinates(layout)}};
  std::string page = kPage;
  replace(page, "@SPEC@", layout.spec());
  replace(page, "@STYLE@", kPageStyle);
  replace(page, "@SCRIPT@", kPageScript);
  replace(page, "@PLAN@", for_script(plan_json(layout, summary, "")));
  replace(page, "@MERGED@", for_script(merged));
  replace(page, "@VIEW@", for_script(view.dump()));
  return page;
}

}  // namespace psctl
