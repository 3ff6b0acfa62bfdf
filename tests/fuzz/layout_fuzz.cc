// Feeds texts to the parser of layouts, and asks every accepted layout everything: it must keep its laws, print what it
// would parse again, and a refusal must say where in the text it is. An input is "world spec", with names to ask for on
// further lines. A libFuzzer target; layout_fuzz_main.cc is a driver where there is no libFuzzer.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "layout/describe.h"
#include "layout/layout.h"

namespace {

using ps::Error;
using ps::layout::Layout;
using ps::layout::Rule;

constexpr int64_t kSmallWorld = 64;

std::string input_now;

void require(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "layout_fuzz: " << what << "\ninput: " << input_now << "\n";
  std::abort();
}

void expect_place(const Rule& rule, int64_t group, int64_t index, int64_t world, const std::string& name) {
  const int64_t rank = rule.rank(group, index);
  require(rank >= 0 && rank < world, "a rank of " + name + " outside the world");
  const auto place = rule.find(rank);
  require(place && place->group == group && place->index == index, "a member of " + name + " is not found where it is");
}

// The first, the last and those between of a few numbers below `count`.
std::set<int64_t> edges(int64_t count) { return {0, count / 3, count / 2, std::max<int64_t>(0, count - 2), count - 1}; }

void expect_rule(const Rule& rule, int64_t world, const std::string& name) {
  require(rule.group_count() >= 1 && rule.group_size() >= 1, name + " has no groups");
  require(rule.group_count() <= world / rule.group_size(), name + " has more members than the world");
  const bool small = world <= kSmallWorld;
  for (int64_t group = 0; small && group < rule.group_count(); ++group) {
    for (int64_t index = 0; index < rule.group_size(); ++index) expect_place(rule, group, index, world, name);
  }
  for (const int64_t group : edges(rule.group_count())) {
    for (const int64_t index : edges(rule.group_size())) expect_place(rule, group, index, world, name);
  }
  for (const int64_t rank : edges(world)) {
    const auto place = rule.find(rank);
    require(!place || rule.rank(place->group, place->index) == rank, "a rank of " + name + " is found where it is not");
  }
  require(!rule.find(-1) && !rule.find(world), name + " has a rank outside the world");
}

void expect_names(const Layout& layout) {
  std::set<std::string> seen;
  for (const ps::layout::Name& name : layout.names()) {
    require(seen.insert(name.name).second, "the name " + name.name + " is there twice");
    expect_rule(name.rule, layout.world(), name.name);
    require(layout.rule(name.name).same_groups(name.rule), "the name " + name.name + " has other groups");
    if (name.alias_of.empty()) continue;
    require(seen.contains(name.alias_of), "an alias of what is not there, " + name.alias_of);
    require(layout.rule(name.alias_of).same_groups(name.rule), "the alias " + name.name + " has other groups");
  }
}

void expect_axes(const Layout& layout) {
  for (const ps::layout::Grid& grid : layout.grids()) {
    require(grid.offset() >= 0 && grid.offset() + grid.size() <= layout.world(), "a grid outside the world");
    for (const int64_t place : edges(grid.size())) {
      int64_t again = grid.offset();
      for (const auto& axis : grid.axes()) again += grid.coordinate(axis, grid.offset() + place) * axis.stride;
      require(again == grid.offset() + place, "coordinates do not invert");
    }
    const auto& axes = grid.axes();
    if (axes.size() > 1 && !axes.front().name.empty() && !axes.back().name.empty()) {
      expect_rule(layout.rule(axes.back().name + "-" + axes.front().name), layout.world(), "merged axes");
    }
  }
  std::set<std::string> seen;
  for (const Layout::NamedAxis& axis : layout.axes()) {
    require(seen.insert(axis.name).second, "the axis " + axis.name + " is there twice");
    const int64_t rank = axis.grid->offset() + axis.grid->size() - 1;
    require(layout.coordinate(axis.name, rank) == axis.axis->size - 1, "the last rank is not last on " + axis.name);
  }
}

void expect_texts(const Layout& layout) {
  const Layout again(layout.spec(), layout.world());
  require(again.spec() == layout.spec() && again.hash() == layout.hash(), "no canonical form: " + again.spec());
  require(again.names().size() == layout.names().size(), "the canonical form has other names");
  for (size_t i = 0; i < again.names().size(); ++i) {
    require(again.names()[i].name == layout.names()[i].name, "the canonical form has another name");
    require(again.names()[i].rule.same_groups(layout.names()[i].rule), "the canonical form has other groups");
  }
  require(ps::layout::describe_difference(layout, again) == R"({"equal":true})", "a layout differs from itself");
  require(ps::layout::key_difference(layout.spec(), again.spec()).empty(), "a spec differs from itself");
  if (layout.world() > kSmallWorld || layout.names().size() > 100) return;
  const auto whole = nlohmann::json::parse(ps::layout::describe(layout));
  require(whole["groups"].size() == layout.names().size(), "the description has other names");
  const Layout other("grid:tp=*", layout.world());
  const auto difference = nlohmann::json::parse(ps::layout::describe_difference(layout, other));
  require(difference["equal"] == (layout.spec() == other.spec()), "a difference that is none");
  require(ps::layout::key_difference(layout.spec(), other.spec()).empty() == (layout.spec() == other.spec()),
          "a difference of keys that is none");
}

void expect_answer(const Layout& layout, const std::string& name) {
  try {
    expect_rule(layout.rule(name), layout.world(), name);
  } catch (const Error& error) {
    require(error.code() == PS_ERR_NOT_FOUND, "an unknown name gives " + error.text());
  }
  for (const int64_t rank : {int64_t{0}, layout.world() - 1, layout.world(), int64_t{-1}}) {
    try {
      layout.coordinate(name, rank);
      require(rank >= 0 && rank < layout.world(), "a coordinate of a rank outside");
    } catch (const Error& error) {
      const bool inside = rank >= 0 && rank < layout.world();
      require(error.code() == PS_ERR_NOT_FOUND || (!inside && error.code() == PS_ERR_ARGUMENT), error.text());
    }
  }
}

void expect_refusal(const Error& error, std::string_view spec, int64_t world) {
  require(error.code() == PS_ERR_ARGUMENT, "refused with a code other than ARGUMENT: " + error.text());
  require(error.text().size() < 2000, "a refusal of " + std::to_string(error.text().size()) + " bytes");
  for (const char c : error.text()) require(c >= 0x20 && c < 0x7f, "an odd byte in the text " + error.text());
  if (world < 1 || spec.size() > ps::layout::kMaxSpecBytes) return;
  const size_t at = error.text().find("at position ");
  require(at != std::string::npos, "a refusal without a position: " + error.text());
  const char* digits = error.text().c_str() + at + std::string_view("at position ").size();
  const size_t position = std::strtoull(digits, nullptr, 10);
  require(position >= 1 && position <= spec.size() + 1, "a position outside the text: " + error.text());
}

}  // namespace

// How many inputs were accepted, so that a driver can tell that it asked something.
uint64_t layout_fuzz_accepted = 0;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  input_now = rest;
  int64_t world = 0;
  const auto number = std::from_chars(rest.data(), rest.data() + rest.size(), world);
  if (number.ec != std::errc() || world > std::numeric_limits<int32_t>::max()) return 0;
  rest.remove_prefix(static_cast<size_t>(number.ptr - rest.data()));
  if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  const std::string_view spec = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(spec.size() + 1, rest.size()));
  try {
    const Layout layout(spec, world);
    ++layout_fuzz_accepted;
    require(layout.world() == world && layout.spec().size() <= ps::layout::kMaxSpecBytes, "too long a canonical form");
    expect_names(layout);
    expect_axes(layout);
    expect_texts(layout);
    for (int line = 0; line < 4; ++line) {
      const std::string_view name = rest.substr(0, rest.find('\n'));
      expect_answer(layout, std::string(name));
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    }
  } catch (const Error& error) {
    expect_refusal(error, spec, world);
  }
  return 0;
}
