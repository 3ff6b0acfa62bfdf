#include "layout/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"

namespace ps::layout {
namespace {

using nlohmann::ordered_json;

constexpr int64_t kMostShown = 4096;  // members of a group that differs

std::string quoted(const std::string& text) { return ordered_json(text).dump(); }

// By hand: as a tree of JSON values a large layout would take fifty bytes a rank.
void append_groups(std::string& text, const Rule& rule) {
  text += '[';
  for (int64_t group = 0; group < rule.group_count(); ++group) {
    text += group == 0 ? "[" : ",[";
    for (int64_t index = 0; index < rule.group_size(); ++index) {
      if (index > 0) text += ',';
      const fmt::format_int rank(rule.rank(group, index));
      text.append(rank.data(), rank.size());
    }
    text += ']';
  }
  text += ']';
}

// The first place at which the groups differ; the smaller size where none does.
int64_t first_difference(const Rule& one, const Rule& other, int64_t group) {
  const int64_t size = std::min(one.group_size(), other.group_size());
  int64_t place = 0;
  while (place < size && one.rank(group, place) == other.rank(group, place)) ++place;
  return place;
}

std::vector<int64_t> members(const Rule& rule, int64_t group, int64_t from) {
  std::vector<int64_t> ranks;
  const int64_t end = std::min(rule.group_size(), from + kMostShown);
  for (int64_t index = from; index < end; ++index) ranks.push_back(rule.rank(group, index));
  return ranks;
}

ordered_json difference(const Rule& one, const Rule& other) {
  ordered_json found;
  found["counts"] = {one.group_count(), other.group_count()};
  found["sizes"] = {one.group_size(), other.group_size()};
  const int64_t largest = std::max(one.group_size(), other.group_size());
  for (int64_t group = 0; group < std::min(one.group_count(), other.group_count()); ++group) {
    const int64_t place = first_difference(one, other, group);
    if (place == largest) continue;
    const int64_t from = largest <= kMostShown ? 0 : place;
    found["first"] = {{"index", group}, {"ranks", {members(one, group, from), members(other, group, from)}}};
    if (from > 0) found["first"]["from"] = from;
    break;
  }
  return found;
}

// Refused before anything is made: what one would not get is told apart from what takes long.
void check_description_size(const Layout& layout) {
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  const auto digits = static_cast<int64_t>(std::to_string(layout.world()).size());
  int64_t bytes = 0;
  for (const Name& name : layout.names()) {
    bytes += name.rule.group_count() * (2 + name.rule.group_size() * (digits + 1));
    if (bytes > kMostBytes) {
      fail(PS_ERR_UNSUPPORTED,
           "a description of all {} names of a world of {} is over 1 GiB; ask for single groups (psLayoutGroupRanks)",
           layout.names().size(), layout.world());
    }
  }
}

using Keys = std::vector<std::pair<std::string, std::string>>;

// "preset", then "key" or "view.key", in the spec's order.
Keys keys_of(const std::string& text) {
  const Spec spec(text);
  Keys keys = {{"preset", spec.preset().name}};
  for (const Entry& entry : spec.preset().entries) keys.emplace_back(entry.key, entry.value);
  for (const Section& view : spec.views()) {
    for (const Entry& entry : view.entries) keys.emplace_back(view.name + "." + entry.key, entry.value);
  }
  return keys;
}

const std::string* find(const Keys& keys, const std::string& key) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.first == key; });
  return found == keys.end() ? nullptr : &found->second;
}

std::vector<std::string> all_keys(const Keys& one, const Keys& other) {
  std::vector<std::string> all;
  for (const Keys* keys : {&one, &other}) {
    for (const auto& [key, value] : *keys) {
      if (std::find(all.begin(), all.end(), key) == all.end()) all.push_back(key);
    }
  }
  return all;
}

}  // namespace

std::string describe(const Layout& layout) {
  check_description_size(layout);
  std::string text = fmt::format("{{\"spec\":{},\"world\":{},\"hash\":\"{:016x}\",\"axes\":[", quoted(layout.spec()),
                                 layout.world(), layout.hash());
  const char* separator = "";
  for (const Layout::NamedAxis& axis : layout.axes()) {
    text += fmt::format("{}{{\"name\":{},\"size\":{}}}", separator, quoted(axis.name), axis.axis->size);
    separator = ",";
  }
  text += "],\"groups\":{";
  separator = "";
  ordered_json aliases = ordered_json::object();
  for (const Name& name : layout.names()) {
    text += fmt::format("{}{}:", separator, quoted(name.name));
    append_groups(text, name.rule);
    if (!name.alias_of.empty()) aliases[name.name] = name.alias_of;
    separator = ",";
  }
  return text + "},\"aliases\":" + aliases.dump() + "}";
}

std::string describe_difference(const Layout& one, const Layout& other) {
  if (one.spec() == other.spec() && one.world() == other.world()) return R"({"equal":true})";
  ordered_json result = {{"equal", false},
                         {"specs", {one.spec(), other.spec()}},
                         {"worlds", {one.world(), other.world()}},
                         {"keys", ordered_json::array()},
                         {"groups", ordered_json::object()}};
  const Keys here = keys_of(one.spec());
  const Keys there = keys_of(other.spec());
  for (const std::string& key : all_keys(here, there)) {
    const std::string* first = find(here, key);
    const std::string* second = find(there, key);
    if (first != nullptr && second != nullptr && *first == *second) continue;
    result["keys"].push_back({{"key", key},
                              {"values", {first == nullptr ? ordered_json() : ordered_json(*first),
                                          second == nullptr ? ordered_json() : ordered_json(*second)}}});
  }
  std::vector<std::string> names;
  for (const Layout* layout : {&one, &other}) {
    for (const Name& name : layout->names()) {
      if (std::find(names.begin(), names.end(), name.name) == names.end()) names.push_back(name.name);
    }
  }
  const auto rule_of = [](const Layout& layout, const std::string& name) -> const Rule* {
    for (const Name& each : layout.names()) {
      if (each.name == name) return &each.rule;
    }
    return nullptr;
  };
  for (const std::string& name : names) {
    const Rule* first = rule_of(one, name);
    const Rule* second = rule_of(other, name);
    if (first == nullptr || second == nullptr) {
      result["groups"][name] = {{"only", first != nullptr ? "first" : "second"}};
    } else if (!first->same_groups(*second)) {
      result["groups"][name] = difference(*first, *second);
    }
  }
  return result.dump();
}

std::string key_difference(const std::string& one, const std::string& other) {
  const Keys here = keys_of(one);
  const Keys there = keys_of(other);
  std::string text;
  const auto shown = [](const std::string& key, const std::string* value) {
    return value == nullptr ? "no " + key : key + "=" + *value;
  };
  for (const std::string& key : all_keys(here, there)) {
    const std::string* first = find(here, key);
    const std::string* second = find(there, key);
    if (first != nullptr && second != nullptr && *first == *second) continue;
    text += fmt::format("{}{} and {}", text.empty() ? "" : ", ", shown(key, first), shown(key, second));
  }
  return text;
}

}  // namespace ps::layout
