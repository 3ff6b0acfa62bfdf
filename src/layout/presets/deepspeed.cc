// DeepSpeed's expert groups: within a pipeline stage, expert parallel over ranks that are tp apart, and the ranks that
// hold the same experts as expert data parallel.
#include "layout/plan.h"
#include "layout/sizes.h"

namespace ps::layout {

Plan plan_deepspeed(const Spec& spec, int64_t world) {
  const Sizes sizes(spec, {"ep", "tp", "pp", "rank_offset"});
  const int64_t offset = rank_offset(sizes, world);
  Factor ep = sizes.get_or_rest("ep");
  Factor tp = sizes.get_or_rest("tp");
  Factor pp = sizes.get_or_rest("pp");
  sizes.require_divides({&ep, &tp, &pp}, Total::world(world, offset));
  const int64_t data = (world - offset) / (ep.value * tp.value * pp.value);

  Plan plan;
  const Grid base = Grid::leftmost_fastest(
      "", offset, {{"tp", tp.value}, {"ep", ep.value}, {"expert_dp", data}, {"pp", pp.value}});
  plan.grids = {base};
  plan.add("expert_data", base.ordered({"expert_dp"}, {"ep", "tp", "pp"}));
  plan.add("expert", base.ordered({"ep"}, {"expert_dp", "tp", "pp"}));
  plan.add("tp", base.merged({"tp"}));
  plan.add("dp", base.merged({"ep", "expert_dp"}));
  plan.add("pp", base.merged({"pp"}));

  CanonicalSpec canonical("deepspeed");
  canonical.always("ep", ep.value);
  canonical.unless(1, "tp", tp.value);
  canonical.unless(1, "pp", pp.value);
  canonical.unless(0, "rank_offset", offset);
  plan.spec = canonical.text();
  return plan;
}

}  // namespace ps::layout
