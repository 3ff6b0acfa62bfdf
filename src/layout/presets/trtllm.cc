// TensorRT-LLM's Mapping: tp fastest, then cp, then pp; the experts cut tp again, moe_ep fastest. There is no data
// parallel axis. Its expert groups are laid over the first pp x tp ranks, whatever cp is, and so they are here.
#include "layout/plan.h"
#include "layout/sizes.h"

namespace ps::layout {

Plan plan_trtllm(const Spec& spec, int64_t world) {
  const Sizes sizes(spec, {"tp", "cp", "pp", "moe_tp", "moe_ep", "rank_offset"});
  const int64_t offset = rank_offset(sizes, world);
  Factor tp = sizes.get_or_rest("tp");
  Factor cp = sizes.get_or_rest("cp");
  Factor pp = sizes.get_or_rest("pp");
  sizes.require_equal({&tp, &cp, &pp}, Total::world(world, offset));
  Factor moe_ep = sizes.get("moe_ep");
  Factor moe_tp{"moe_tp", 1, spec.preset().position};
  if (sizes.text("moe_tp") != nullptr) {
    moe_tp = sizes.get("moe_tp");
    if (sizes.text("moe_ep") == nullptr) {
      sizes.require_divides({&moe_tp}, {"tp", tp.value});
      moe_ep.value = tp.value / moe_tp.value;
    }
    sizes.require_equal({&moe_tp, &moe_ep}, {"tp", tp.value});
  } else {
    sizes.require_divides({&moe_ep}, {"tp", tp.value});
    moe_tp.value = tp.value / moe_ep.value;
  }

  Plan plan;
  const Grid base = Grid::leftmost_fastest("", offset, {{"tp", tp.value}, {"cp", cp.value}, {"pp", pp.value}});
  const Grid experts =
      Grid::leftmost_fastest("moe", offset, {{"moe_ep", moe_ep.value}, {"moe_tp", moe_tp.value}, {"pp", pp.value}});
  plan.grids = {base, experts};
  plan.add("tp", base.merged({"tp"}));
  plan.add("cp", base.merged({"cp"}));
  plan.add("pp", base.merged({"pp"}));
  plan.add("moe_tp", experts.merged({"moe_tp"}));
  plan.add("moe_ep", experts.merged({"moe_ep"}));

  CanonicalSpec canonical("trtllm");
  canonical.always("tp", tp.value);
  canonical.unless(1, "cp", cp.value);
  canonical.unless(1, "pp", pp.value);
  canonical.unless(1, "moe_ep", moe_ep.value);
  canonical.unless(0, "rank_offset", offset);
  plan.spec = canonical.text();
  return plan;
}

}  // namespace ps::layout
