// Every golden case through the C API, as a program outside sees it: groups, their order, aliases, coordinates,
// refusals, the JSON description; and the golden partitions of pipeline layers.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

#include "parallelstate.h"

namespace {

using nlohmann::json;
using Groups = std::vector<std::vector<int32_t>>;

struct Free {
  void operator()(psLayout layout) const { EXPECT_EQ(psLayoutFree(layout), PS_OK); }
  void operator()(psBytes bytes) const { EXPECT_EQ(psBytesFree(bytes), PS_OK); }
};
using Layout = std::unique_ptr<std::remove_pointer_t<psLayout>, Free>;
using Bytes = std::unique_ptr<std::remove_pointer_t<psBytes>, Free>;

json golden(const char* name) {
  std::ifstream file(std::string(PS_SOURCE_DIR "/tests/golden/") + name);
  return json::parse(file);
}

json text_of(const Bytes& bytes) {
  const void* data = nullptr;
  size_t size = 0;
  EXPECT_EQ(psBytesAt(bytes.get(), 0, &data, &size, nullptr), PS_OK);
  return json::parse(std::string(static_cast<const char*>(data), size));
}

json description(const Layout& layout) {
  psBytes found = nullptr;
  EXPECT_EQ(psLayoutDescribe(layout.get(), &found), PS_OK) << psLastError();
  return text_of(Bytes(found));
}

Groups groups_of(const Layout& layout, const std::string& name) {
  size_t count = 0;
  EXPECT_EQ(psLayoutGroupCount(layout.get(), name.c_str(), &count), PS_OK) << psLastError();
  Groups groups;
  for (size_t index = 0; index < count; ++index) {
    size_t size = 0;
    EXPECT_EQ(psLayoutGroupRanks(layout.get(), name.c_str(), index, nullptr, 0, &size), PS_OK);
    std::vector<int32_t> ranks(size);
    EXPECT_EQ(psLayoutGroupRanks(layout.get(), name.c_str(), index, ranks.data(), size, &size), PS_OK);
    groups.push_back(std::move(ranks));
  }
  return groups;
}

void expect_found(const Layout& layout, const std::string& name, const Groups& groups) {
  for (size_t group = 0; group < groups.size(); ++group) {
    for (size_t place = 0; place < groups[group].size(); ++place) {
      size_t index = SIZE_MAX;
      int32_t rank = -1;
      ASSERT_EQ(psLayoutFind(layout.get(), name.c_str(), groups[group][place], &index, &rank), PS_OK) << psLastError();
      EXPECT_EQ(index, group);
      EXPECT_EQ(rank, static_cast<int32_t>(place));
    }
  }
}

json aliases_of(const Layout& layout) {
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  EXPECT_EQ(psGetLayoutInfo(layout.get(), &info), PS_OK);
  json aliases = json::object();
  for (size_t index = 0; index < info.name_count; ++index) {
    const char* name = nullptr;
    const char* alias_of = nullptr;
    EXPECT_EQ(psLayoutName(layout.get(), index, &name, &alias_of), PS_OK);
    if (alias_of != nullptr) aliases[name] = alias_of;
  }
  return aliases;
}

void expect_coordinates(const Layout& layout, const json& rank) {
  for (const auto& [key, expected] : rank.items()) {
    if (key == "rank") continue;
    const std::string axis = key.substr(0, key.size() - std::string("_rank").size());
    int32_t coordinate = -1;
    EXPECT_EQ(psLayoutCoordinate(layout.get(), axis.c_str(), rank["rank"], &coordinate), PS_OK) << psLastError();
    EXPECT_EQ(coordinate, expected) << key << " of rank " << rank["rank"];
  }
}

void expect_case(const json& expected) {
  const auto spec = expected["spec"].get<std::string>();
  psLayout made = nullptr;
  const psResult result = psLayoutCreate(spec.c_str(), expected["world"], &made);
  if (expected.contains("error")) {
    EXPECT_EQ(result, PS_ERR_ARGUMENT);
    EXPECT_EQ(made, nullptr);
    EXPECT_STRNE(psLastError(), "");
    return;
  }
  ASSERT_EQ(result, PS_OK) << psLastError();
  const Layout layout(made);
  const json whole = description(layout);
  for (const auto& [name, listed] : expected["groups"].items()) {
    SCOPED_TRACE(name);
    const Groups groups = groups_of(layout, name);
    EXPECT_EQ(groups, listed.get<Groups>());
    expect_found(layout, name, groups);
    if (whole["groups"].contains(name)) {
      EXPECT_EQ(whole["groups"][name], listed);
    }
  }
  if (expected.contains("aliases")) {
    EXPECT_EQ(aliases_of(layout), expected["aliases"]);
    EXPECT_EQ(whole["aliases"], expected["aliases"]);
  }
  if (expected.contains("attn_dp_peers")) {
    EXPECT_EQ(groups_of(layout, "attn_dp"), expected["attn_dp_peers"].get<Groups>());
  }
  for (const json& rank : expected.value("coordinates", json::array())) expect_coordinates(layout, rank);
}

TEST(Golden, Layouts) {
  const json cases = golden("layouts.json");
  ASSERT_GT(cases.size(), 150u);
  for (const json& expected : cases) {
    SCOPED_TRACE(expected["spec"].get<std::string>() + " world " + expected["world"].dump());
    expect_case(expected);
  }
}

TEST(Golden, PipelineLayers) {
  const json cases = golden("pipeline_layers.json");
  ASSERT_GT(cases.size(), 40u);
  for (const json& expected : cases) {
    SCOPED_TRACE(expected.dump());
    std::vector<int64_t> partition;
    if (!expected["partition"].is_null()) partition = expected["partition"].get<std::vector<int64_t>>();
    const auto stages = expected["pp"].get<int32_t>();
    std::vector<int64_t> boundaries(static_cast<size_t>(stages) + 1, -1);
    ASSERT_EQ(psPipelineLayers(expected["rule"].get<std::string>().c_str(), expected["layers"], stages,
                               partition.empty() ? nullptr : partition.data(), boundaries.data()),
              PS_OK)
        << psLastError();
    for (size_t stage = 0; stage < static_cast<size_t>(stages); ++stage) {
      EXPECT_EQ(json({boundaries[stage], boundaries[stage + 1]}), expected["ranges"][stage]);
    }
  }
}

}  // namespace
