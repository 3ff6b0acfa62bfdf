// vLLM's groups: the world as an array external DP x DP x PP x PCP x TP, TP fastest. What the product of the sizes
// leaves of the world is external data parallelism: replicas that share nothing but the world.
#include <fmt/format.h>

#include "layout/plan.h"
#include "layout/sizes.h"

namespace ps::layout {
namespace {

// Decode context parallel. The newer rule walks prefill context parallel first, then tp; the older one takes
// neighbours.
enum class DcpRule { kPcpFirst, kTpAdjacent };

DcpRule dcp_rule(const Sizes& sizes) {
  const Entry* entry = sizes.text("dcp_rule");
  if (entry == nullptr || entry->value == "pcp_first") return DcpRule::kPcpFirst;
  if (entry->value == "tp_adjacent") return DcpRule::kTpAdjacent;
  sizes.spec().refuse(*entry, "dcp_rule is pcp_first or tp_adjacent");
}

}  // namespace

Plan plan_vllm(const Spec& spec, int64_t world) {
  const Sizes sizes(spec, {"tp", "pp", "pcp", "dcp", "dp", "dcp_rule", "rank_offset"});
  const int64_t offset = rank_offset(sizes, world);
  Factor tp = sizes.get_or_rest("tp");
  Factor pp = sizes.get_or_rest("pp");
  Factor pcp = sizes.get_or_rest("pcp");
  Factor dp = sizes.get_or_rest("dp");
  sizes.require_divides({&tp, &pp, &pcp, &dp}, Total::world(world, offset));
  const int64_t replicas = (world - offset) / (tp.value * pp.value * pcp.value * dp.value);
  const DcpRule rule = dcp_rule(sizes);
  Factor dcp = sizes.get("dcp");
  if (rule == DcpRule::kPcpFirst) {
    sizes.require_divides({&dcp}, {"tp x pcp", tp.value * pcp.value});
  } else {
    sizes.require_divides({&dcp}, {"tp", tp.value});
  }

  Plan plan;
  const Grid base = Grid::leftmost_fastest(
      "", offset,
      {{"tp", tp.value}, {"pcp", pcp.value}, {"pp", pp.value}, {"dp", dp.value}, {"external_dp", replicas}});
  plan.grids = {base};
  // The order of the groups is that of vLLM's transpositions, which differs from name to name.
  plan.add("world", base.ordered({"tp", "pcp", "pp", "dp", "external_dp"}, {}));
  plan.add("tp", base.ordered({"tp"}, {"pcp", "pp", "dp", "external_dp"}));
  if (rule == DcpRule::kPcpFirst && dcp.value > 1) {
    plan.add("dcp", base.ordered({"pcp", "tp"}, {"pp", "dp", "external_dp"}).subdivided(dcp.value));
  } else {
    plan.add("dcp", base.ordered({"tp"}, {"pcp", "pp", "dp", "external_dp"}).subdivided(dcp.value));
  }
  plan.add("pcp", base.ordered({"pcp"}, {"tp", "pp", "dp", "external_dp"}));
  plan.add("pp", base.ordered({"pp"}, {"pcp", "tp", "dp", "external_dp"}));
  plan.add("dp", base.ordered({"dp"}, {"pcp", "pp", "tp", "external_dp"}));
  plan.add("ep", base.ordered({"tp", "pcp", "dp"}, {"pp", "external_dp"}));
  // The same ranks again, for what must not wait behind the experts' traffic.
  plan.add("eplb", base.ordered({"tp", "pcp", "dp"}, {"pp", "external_dp"}));
  if (replicas == 1) plan.add("inner_dp_world", base.ordered({"tp", "pcp", "pp"}, {"dp"}));

  CanonicalSpec canonical("vllm");
  canonical.always("tp", tp.value);
  canonical.unless(1, "pp", pp.value);
  canonical.unless(1, "pcp", pcp.value);
  canonical.unless(1, "dcp", dcp.value);
  canonical.unless(1, "dp", dp.value);
  if (rule == DcpRule::kTpAdjacent && dcp.value > 1 && pcp.value > 1) canonical.always("dcp_rule", "tp_adjacent");
  canonical.unless(0, "rank_offset", offset);
  plan.spec = canonical.text();
  return plan;
}

}  // namespace ps::layout
