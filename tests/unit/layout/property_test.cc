// Thousands of random specs: what is accepted obeys the laws, what is refused is refused with a text, and printing and
// parsing agree.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "layout/layout.h"

namespace ps::layout {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(engine_); }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

 private:
  std::mt19937_64 engine_;
};

struct Case {
  std::string spec;
  int64_t world;
};

Case random_case(Random& random) {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> presets = {
      {"sglang", {"tp", "pp", "attn_dp", "attn_cp", "moe_ep", "moe_dp", "dcp", "shared_experts_tp"}},
      {"vllm", {"tp", "pp", "pcp", "dcp", "dp"}},
      {"megatron", {"tp", "pp", "cp", "ep", "etp", "gtp", "egtp", "distopt", "vpp"}},
      {"trtllm", {"tp", "cp", "pp", "moe_tp", "moe_ep"}},
      {"deepspeed", {"ep", "tp", "pp"}},
      {"grid", {"a", "b", "c", "d"}},
      {"mesh", {"a", "b", "c", "d"}}};
  static const std::vector<std::string> orders = {"tp-cp-ep-dp-pp", "tp-cp-ep-pp-dp", "pp-dp-TP-cp-ep", "dp-tp-pp-ep-cp"};
  const auto& [preset, keys] = random.one_of(presets);
  static const std::vector<int64_t> sizes = {1, 1, 1, 2, 2, 2, 3, 4};
  Case result{preset + ":", 1};
  std::string separator;
  const bool needs_all = preset == "grid" || preset == "mesh";
  for (const std::string& key : keys) {
    if (!needs_all && key != keys.front() && random.below(2) == 0) continue;
    const int64_t size = random.one_of(sizes);
    result.spec += separator + key + "=" + std::to_string(size);
    separator = ",";
    result.world *= size;
  }
  // Half of the worlds fit the product of everything, the others are anything.
  if (random.below(4) == 0) result.world = static_cast<int64_t>(1 + random.below(96));
  if (random.below(5) == 0) {
    const size_t offset = 1 + random.below(9);
    result.spec += ",rank_offset=" + std::to_string(offset);
    if (random.below(3) != 0) result.world += static_cast<int64_t>(offset);
  }
  if (preset == "megatron" && random.below(3) == 0) result.spec += ",order=" + random.one_of(orders);
  return result;
}

// Each rank is at most in one group of a name and is found where it is listed; other ranks are found nowhere.
void expect_lawful(const Layout& layout, const std::string& name) {
  const Rule rule = layout.rule(name);
  std::vector<int> seen(static_cast<size_t>(layout.world()));
  for (int64_t group = 0; group < rule.group_count(); ++group) {
    for (int64_t index = 0; index < rule.group_size(); ++index) {
      const int64_t rank = rule.rank(group, index);
      ASSERT_GE(rank, 0);
      ASSERT_LT(rank, layout.world());
      ASSERT_EQ(++seen[static_cast<size_t>(rank)], 1) << name << " has rank " << rank << " twice";
      const auto place = rule.find(rank);
      ASSERT_TRUE(place && place->group == group && place->index == index) << name << ", rank " << rank;
    }
  }
  for (int64_t rank = 0; rank < layout.world(); ++rank) {
    if (seen[static_cast<size_t>(rank)] == 0) {
      ASSERT_FALSE(rule.find(rank).has_value()) << name << ", rank " << rank;
    }
  }
}

// A rank is what its coordinates say.
void expect_coordinates_invert(const Layout& layout) {
  for (const Grid& grid : layout.grids()) {
    for (int64_t rank = grid.offset(); rank < grid.offset() + grid.size(); ++rank) {
      int64_t again = grid.offset();
      for (const Axis& axis : grid.axes()) again += grid.coordinate(axis, rank) * axis.stride;
      ASSERT_EQ(again, rank);
    }
  }
}

std::string refusal(const std::string& spec, int64_t world) {
  try {
    const Layout layout(spec, world);
    return "";
  } catch (const Error& error) {
    return error.text();
  }
}

// What a product was compared with: "tp" in "moe_ep=3 does not divide tp 8 (..". Of experts there is another product
// for the same world. "" for other refusals.
std::string compared_with(const std::string& text) {
  for (const std::string verb : {" does not divide ", " is not "}) {
    const size_t at = text.find(verb);
    if (at == std::string::npos) continue;
    const std::string product = text.substr(0, at);
    const size_t begin = at + verb.size();
    const std::string total = text.substr(begin, text.find_first_of("0123456789", begin) - begin);
    for (const char* key : {" ep=", " etp=", " egtp=", "shared_experts_tp="}) {
      if (!product.starts_with("deepspeed") && product.find(key) != std::string::npos) return total + "of the experts";
    }
    return total;
  }
  return "";
}

// The spec with a key set to another value.
std::string with(const std::string& spec, const std::string& key, const std::string& value) {
  for (const char before : {':', ','}) {
    const size_t at = spec.find(before + key + "=");
    if (at == std::string::npos) continue;
    const size_t begin = at + key.size() + 2;
    return spec.substr(0, begin) + value + spec.substr(std::min(spec.find(',', begin), spec.size()));
  }
  return spec + "," + key + "=" + value;
}

// The pairs in "try tp=1, 2 or 4, or pp=2".
std::vector<std::pair<std::string, std::string>> offers_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> offers;
  const size_t begin = text.find("; try ");
  if (begin == std::string::npos) return offers;
  std::string key;
  std::string word;
  for (const char c : text.substr(begin + 6, text.find("; at position") - begin - 6) + " ") {
    if (c == '=') {
      key = std::exchange(word, "");
    } else if (c != ' ' && c != ',') {
      word += c;
    } else if (!word.empty()) {
      if (word == "a") break;  // "or a world of 4"
      if (word != "or") offers.emplace_back(key, word);
      word.clear();
    }
  }
  return offers;
}

// Whatever a refusal offers does away with it; another may be next.
TEST(Properties, OffersHelp) {
  Random random(7);
  int offers = 0;
  for (int round = 0; round < 3000; ++round) {
    const Case input = random_case(random);
    const std::string text = refusal(input.spec, input.world);
    const std::string total = compared_with(text);
    if (total.empty()) continue;
    for (const auto& [key, value] : offers_of(text)) {
      if (key + " " == total) continue;
      const std::string again = refusal(with(input.spec, key, value), input.world);
      EXPECT_NE(compared_with(again), total) << text << "\n" << key << "=" << value << ": " << again;
      ++offers;
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(offers, 1000);
}

TEST(Properties, RandomSpecs) {
  Random random(20261121);
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    const Case input = random_case(random);
    SCOPED_TRACE(input.spec + " world " + std::to_string(input.world));
    try {
      const Layout layout(input.spec, input.world);
      ++accepted;
      const Layout again(layout.spec(), input.world);
      ASSERT_EQ(again.spec(), layout.spec());
      ASSERT_EQ(again.hash(), layout.hash());
      ASSERT_EQ(again.names().size(), layout.names().size());
      for (const Name& name : layout.names()) {
        expect_lawful(layout, name.name);
        ASSERT_TRUE(again.rule(name.name).same_groups(name.rule)) << name.name;
        if (!name.alias_of.empty()) {
          ASSERT_TRUE(layout.rule(name.alias_of).same_groups(name.rule)) << name.name;
        }
      }
      expect_coordinates_invert(layout);
    } catch (const Error& error) {
      ++refused;
      ASSERT_EQ(error.code(), PS_ERR_ARGUMENT) << error.text();
      ASSERT_NE(error.text().find("position"), std::string::npos) << error.text();
    }
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace ps::layout
