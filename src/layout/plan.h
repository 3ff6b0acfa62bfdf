// What a preset makes of a spec: grids, the names of their groups, and the spec in its one canonical form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layout/grid.h"
#include "layout/rule.h"
#include "layout/spec.h"

namespace ps::layout {

struct Name {
  std::string name;
  std::string alias_of;  // "" for a name of its own
  Rule rule;
};

struct Plan {
  std::string spec;
  std::vector<Grid> grids;  // the base grid first
  std::vector<Name> names;  // in the order in which they are listed

  void add(std::string name, Rule rule) { names.push_back({std::move(name), "", std::move(rule)}); }
  // A further name of the groups of `of`.
  void add_alias(std::string name, std::string_view of);
  const Name* find(std::string_view name) const;
};

// "preset:key=value,..." without the keys that have their default.
class CanonicalSpec {
 public:
  explicit CanonicalSpec(std::string_view preset) : text_(preset) {}
  void always(std::string_view key, std::string_view value);
  void always(std::string_view key, int64_t value) { always(key, std::to_string(value)); }
  void unless(int64_t standard, std::string_view key, int64_t value) {
    if (value != standard) always(key, value);
  }
  void view(std::string_view name);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool first_ = true;
};

// One for each system, in presets/. `world` is at least 1.
Plan plan_grid(const Spec& spec, int64_t world);  // grid and mesh
Plan plan_sglang(const Spec& spec, int64_t world);
Plan plan_vllm(const Spec& spec, int64_t world);
Plan plan_megatron(const Spec& spec, int64_t world);
Plan plan_trtllm(const Spec& spec, int64_t world);
Plan plan_deepspeed(const Spec& spec, int64_t world);

}  // namespace ps::layout
