// Every golden case: groups, their order, aliases, coordinates; and that a rule finds what it lists.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "layout/layout.h"

namespace ps::layout {
namespace {

using Groups = std::vector<std::vector<int64_t>>;

Groups list(const Rule& rule) {
  Groups groups;
  for (int64_t group = 0; group < rule.group_count(); ++group) {
    groups.emplace_back();
    for (int64_t index = 0; index < rule.group_size(); ++index) groups.back().push_back(rule.rank(group, index));
  }
  return groups;
}

void expect_found(const Rule& rule, const Groups& groups) {
  for (size_t group = 0; group < groups.size(); ++group) {
    for (size_t index = 0; index < groups[group].size(); ++index) {
      const auto place = rule.find(groups[group][index]);
      ASSERT_TRUE(place.has_value());
      EXPECT_EQ(place->group, static_cast<int64_t>(group));
      EXPECT_EQ(place->index, static_cast<int64_t>(index));
    }
  }
}

void expect_case(const nlohmann::json& expected) {
  const Layout layout(expected.at("spec").get<std::string>(), expected.at("world").get<int64_t>());
  for (const auto& [name, groups] : expected.at("groups").items()) {
    SCOPED_TRACE(name);
    const Rule rule = layout.rule(name);
    const Groups found = list(rule);
    EXPECT_EQ(found, groups.get<Groups>());
    expect_found(rule, found);
  }
  if (expected.contains("aliases")) {
    nlohmann::json aliases = nlohmann::json::object();
    for (const Name& name : layout.names()) {
      if (!name.alias_of.empty()) aliases[name.name] = name.alias_of;
    }
    EXPECT_EQ(aliases, expected["aliases"]);
  }
  if (expected.contains("attn_dp_peers")) {
    EXPECT_EQ(list(layout.rule("attn_dp")), expected["attn_dp_peers"].get<Groups>());
  }
  for (const auto& rank : expected.value("coordinates", nlohmann::json::array())) {
    for (const auto& [key, coordinate] : rank.items()) {
      if (key == "rank") continue;
      const std::string axis = key.substr(0, key.size() - std::string("_rank").size());
      EXPECT_EQ(layout.coordinate(axis, rank["rank"]), coordinate) << key << " of rank " << rank["rank"];
    }
  }
}

TEST(Golden, EveryCase) {
  std::ifstream file(PS_SOURCE_DIR "/tests/golden/layouts.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  ASSERT_GT(cases.size(), 150u);
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected["spec"].get<std::string>() + " world " + expected["world"].dump());
    if (!expected.contains("error")) {
      expect_case(expected);
      continue;
    }
    try {
      const Layout layout(expected["spec"].get<std::string>(), expected["world"].get<int64_t>());
      ADD_FAILURE() << "accepted as " << layout.spec();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    }
  }
}

}  // namespace
}  // namespace ps::layout
