// SGLang's groups (initialize_model_parallel of its parallel_state). A world is pp stages of tp ranks, and each stage
// is cut twice: for attention into attn_dp x attn_cp x attn_tp, for experts into moe_dp x moe_ep x moe_tp, the last
// fastest.
#include <fmt/format.h>

#include "layout/plan.h"
#include "layout/sizes.h"

namespace ps::layout {

Plan plan_sglang(const Spec& spec, int64_t world) {
  const Sizes sizes(spec, {"tp", "pp", "attn_dp", "attn_cp", "moe_ep", "moe_dp", "dcp", "shared_experts_tp",
                           "duplicate_tp", "rank_offset"});
  const int64_t offset = rank_offset(sizes, world);
  Factor tp = sizes.get_or_rest("tp");
  Factor pp = sizes.get_or_rest("pp");
  sizes.require_equal({&tp, &pp}, Total::world(world, offset));
  Factor attn_dp = sizes.get("attn_dp");
  Factor attn_cp = sizes.get("attn_cp");
  sizes.require_divides({&attn_dp, &attn_cp}, {"tp", tp.value});
  Factor moe_ep = sizes.get("moe_ep");
  Factor moe_dp = sizes.get("moe_dp");
  sizes.require_divides({&moe_ep, &moe_dp}, {"tp", tp.value});
  Factor dcp = sizes.get("dcp");
  sizes.require_divides({&dcp}, {"tp", tp.value});
  Factor shared = sizes.get("shared_experts_tp");
  sizes.require_divides({&shared}, Total::world(world, offset));
  const bool duplicate_tp = sizes.flag("duplicate_tp");
  const int64_t attn_tp = tp.value / (attn_dp.value * attn_cp.value);
  const int64_t moe_tp = tp.value / (moe_ep.value * moe_dp.value);

  Plan plan;
  const Grid base = Grid::leftmost_fastest("", offset, {{"tp", tp.value}, {"pp", pp.value}});
  const Grid attention = Grid::leftmost_fastest(
      "attention", offset,
      {{"attn_tp", attn_tp}, {"attn_cp", attn_cp.value}, {"attn_dp", attn_dp.value}, {"pp", pp.value}});
  const Grid experts = Grid::leftmost_fastest(
      "moe", offset, {{"moe_tp", moe_tp}, {"moe_ep", moe_ep.value}, {"moe_dp", moe_dp.value}, {"pp", pp.value}});
  const Grid decode =
      Grid::leftmost_fastest("decode", offset, {{"dcp", dcp.value}, {"", tp.value / dcp.value}, {"pp", pp.value}});
  plan.grids = {base, attention, experts, decode};

  // A name whose groups are as wide as those of tp is tp itself, in SGLang as here.
  const auto add = [&](const Grid& grid, const char* name, int64_t width) {
    if (width == tp.value) {
      plan.add_alias(name, "tp");
    } else {
      plan.add(name, grid.merged({name}));
    }
  };
  plan.add("world", base.merged({"tp", "pp"}));
  plan.add("tp", base.merged({"tp"}));
  if (duplicate_tp) plan.add("pdmux_prefill_tp", base.merged({"tp"}));
  if (dcp.value > 1) plan.add("dcp", decode.merged({"dcp"}));
  add(attention, "attn_cp", attn_cp.value);
  add(attention, "attn_tp", attn_tp);
  if (shared.value > 1) {
    if (shared.value == attn_tp) {
      plan.add_alias("shared_experts_tp", "attn_tp");
    } else {
      plan.add("shared_experts_tp", base.merged({"tp", "pp"}).subdivided(shared.value));
    }
  }
  if (attn_cp.value > moe_dp.value) {
    plan.add_alias("moe_dp", "attn_cp");
  } else {
    add(experts, "moe_dp", moe_dp.value);
  }
  add(experts, "moe_ep", moe_ep.value);
  add(experts, "moe_tp", moe_tp);
  plan.add("pp", base.merged({"pp"}));
  plan.add("self_pp", base.merged({}));
  // SGLang has no such group: the ranks that hold one position of every attention replica.
  plan.add("attn_dp", attention.merged({"attn_dp"}));

  CanonicalSpec canonical("sglang");
  canonical.always("tp", tp.value);
  canonical.unless(1, "pp", pp.value);
  canonical.unless(1, "attn_dp", attn_dp.value);
  canonical.unless(1, "attn_cp", attn_cp.value);
  canonical.unless(1, "moe_ep", moe_ep.value);
  canonical.unless(1, "moe_dp", moe_dp.value);
  canonical.unless(1, "dcp", dcp.value);
  canonical.unless(1, "shared_experts_tp", shared.value);
  canonical.unless(0, "duplicate_tp", duplicate_tp ? 1 : 0);
  canonical.unless(0, "rank_offset", offset);
  plan.spec = canonical.text();
  return plan;
}

}  // namespace ps::layout
