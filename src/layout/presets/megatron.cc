// Megatron-core's groups (initialize_model_parallel of its parallel_state). Two factorisations of the same ranks in one
// order: the dense one into tp, cp, dp and pp, the experts' into etp, ep, edp and pp.
#include <fmt/format.h>

#include "layout/plan.h"
#include "layout/presets/megatron_order.h"
#include "layout/sizes.h"

namespace ps::layout {
namespace {

struct Settings {
  Factor tp, pp, cp, ep, etp, gtp, egtp, vpp, distopt;
  bool hybrid;
  std::vector<int64_t> hcp;
  int64_t offset;
  int64_t ranks;  // of the layout
  MegatronSizes dense;
  MegatronSizes experts;
};

// "2x2x4", the innermost first; their product must be cp.
std::vector<int64_t> hierarchy(const Sizes& sizes, int64_t cp) {
  const Entry* entry = sizes.text("hcp");
  if (entry == nullptr) return {};
  std::vector<int64_t> levels;
  int64_t product = 1;
  for (const std::string_view part : split(entry->value, 'x')) {
    const Entry level{"hcp", std::string(part), entry->position};
    levels.push_back(sizes.spec().size_of(level, false));
    if (__builtin_mul_overflow(product, levels.back(), &product)) {
      sizes.spec().refuse(*entry, "the product of the levels of hcp is beyond all bounds");
    }
  }
  if (product != cp) {
    sizes.spec().refuse(*entry, fmt::format("the product of the levels hcp={} is {}; it must be cp={}",
                                            shown(entry->value), product, cp));
  }
  return levels;
}

Settings read(const Sizes& sizes, int64_t world) {
  Settings s{};
  s.offset = rank_offset(sizes, world);
  s.ranks = world - s.offset;
  s.tp = sizes.get_or_rest("tp");
  s.pp = sizes.get_or_rest("pp");
  s.cp = sizes.get_or_rest("cp");
  s.gtp = sizes.get("gtp");
  sizes.require_divides({&s.tp, &s.pp, &s.cp, &s.gtp}, Total::world(world, s.offset));
  s.ep = sizes.get("ep");
  s.etp = sizes.get("etp", s.tp.value);
  s.egtp = sizes.get("egtp");
  sizes.require_divides({&s.ep, &s.etp, &s.pp, &s.egtp}, Total::world(world, s.offset));
  s.vpp = sizes.get("vpp");
  if (sizes.text("vpp") != nullptr && s.pp.value == 1) {
    sizes.spec().refuse(s.vpp.position, fmt::format("vpp={} (virtual pipeline stages) needs pp > 1; set pp to 2 or more, "
                                                    "or leave vpp out", s.vpp.value));
  }
  s.distopt = sizes.get("distopt");
  if (s.distopt.value > 1 && (s.gtp.value > 1 || s.egtp.value > 1)) {
    sizes.spec().refuse(s.distopt.position,
                        fmt::format("distopt={} does not go with gtp or egtp > 1; leave one of them out",
                                    s.distopt.value));
  }
  s.hybrid = sizes.flag("hybrid");
  s.hcp = hierarchy(sizes, s.cp.value);
  s.dense = {s.tp.value, s.cp.value, 1, s.ranks / (s.tp.value * s.pp.value * s.cp.value * s.gtp.value), s.pp.value,
             s.gtp.value};
  s.experts = {s.etp.value, 1, s.ep.value, s.ranks / (s.etp.value * s.ep.value * s.pp.value * s.egtp.value), s.pp.value,
               s.egtp.value};
  sizes.require_divides({&s.distopt}, {"dp x cp", s.dense.dp * s.dense.cp});
  sizes.require_divides({&s.distopt}, {"expert dp", s.experts.dp});
  return s;
}

// Parts of dp x cp that grow by powers of two. Megatron leaves a short last part where a power does not divide; here
// that is refused.
void add_hybrid(Plan& plan, const Sizes& sizes, const Rule& dp_cp) {
  const int64_t size = dp_cp.group_size();
  int64_t largest = 1;
  while (largest * 2 <= size) largest *= 2;
  const auto require_divides = [&](int64_t part) {
    if (size % part == 0) return;
    std::vector<int64_t> offers = {largest, largest / 2 * 3, largest * 2};
    std::erase_if(offers, [](int64_t offer) { return offer < 2 || offer % 2 != 0; });
    sizes.spec().refuse(*sizes.text("hybrid"),
                        fmt::format("hybrid needs dp x cp = {} to be divisible by {} ({}); try a dp x cp of {}", size, part,
                                    division(size, part), any_of(offers)));
  };
  require_divides(2);
  for (int64_t part = 2; part < largest; part *= 2) {
    require_divides(part);
    plan.add(fmt::format("hybrid_dp_cp_{}", part), dp_cp.subdivided(part));
  }
}

void add_dense(Plan& plan, const Sizes& sizes, const Settings& s, const Grid& grid) {
  const bool gtp = s.gtp.value > 1;
  const Rule dp_cp = grid.merged({"dp", "cp"});
  const Rule pp = grid.merged({"pp"});
  plan.add("tp", grid.merged({"tp"}));
  plan.add("pp", pp);
  plan.add("dp", grid.merged({"dp"}));
  plan.add("cp", grid.merged({"cp"}));
  plan.add("dp_cp", dp_cp);
  plan.add("mp", grid.merged({"tp", "gtp_remat", "pp"}));
  plan.add("tp_dp", grid.merged({"tp", "gtp_remat", "dp"}));
  plan.add("tp_dp_cp", grid.merged({"tp", "gtp_remat", "dp", "cp"}));
  plan.add("tp_cp", grid.merged({"tp", "cp"}));
  if (gtp) {
    plan.add("gtp_remat", grid.merged({"gtp_remat"}));
    plan.add("dp_gtp_remat", grid.merged({"dp", "gtp_remat"}));
    plan.add("dp_cp_gtp_remat", grid.merged({"dp", "cp", "gtp_remat"}));
  }
  plan.add("embd", pp.picked(s.pp.value == 1 ? std::vector<int64_t>{0} : std::vector<int64_t>{0, s.pp.value - 1}));
  plan.add("pos_embd", pp.picked({0}));
  int64_t inner = 1;
  for (size_t level = 0; level < s.hcp.size(); ++level) {
    plan.add(fmt::format("hcp_L{}", level), grid.merged({"cp"}).subdivided(s.hcp[level], inner));
    inner *= s.hcp[level];
  }
  if (s.hybrid) add_hybrid(plan, sizes, dp_cp);
  // The same ranks again, for gathering parameters beside the reduction of gradients.
  plan.add("dp_cp_ag", dp_cp);
  if (s.distopt.value == 1) {
    plan.add_alias("intra_dp_cp", "dp_cp");
  } else {
    plan.add("intra_dp_cp", dp_cp.subdivided(dp_cp.group_size() / s.distopt.value));
  }
}

void add_experts(Plan& plan, const Settings& s, const Grid& grid) {
  const int64_t edp = s.experts.dp;
  const int64_t instance = edp / s.distopt.value;  // expert data parallel ranks of one optimizer instance
  const Rule expt_dp = grid.merged({"dp"});
  const Rule tp_ep_pp = grid.merged({"tp", "ep", "pp"});
  plan.add("ep", grid.merged({"ep"}));
  plan.add("expt_tp", grid.merged({"tp"}));
  plan.add("tp_ep", grid.merged({"tp", "ep"}));
  plan.add("tp_ep_pp", tp_ep_pp);
  plan.add("expt_dp", expt_dp);
  plan.add("expt_dp_ag", expt_dp);
  if (s.egtp.value > 1) {
    plan.add("expt_gtp_remat", grid.merged({"gtp_remat"}));
    plan.add("expt_dp_gtp_remat", grid.merged({"dp", "gtp_remat"}));
    plan.add("tp_ep_pp_with_egtp_remat", grid.merged({"tp", "ep", "gtp_remat", "pp"}));
  }
  if (s.distopt.value == 1) {
    plan.add_alias("intra_expt_dp", "expt_dp");
  } else {
    plan.add("intra_expt_dp", expt_dp.subdivided(instance));
    plan.add("inter_dist_opt", expt_dp.subdivided(s.distopt.value, instance));
  }
  if (s.gtp.value > 1 || s.egtp.value > 1) {
    plan.add("intra_dist_opt", grid.merged({"tp", "ep", "gtp_remat", "dp", "pp", "cp"}));
  } else {
    plan.add("intra_dist_opt", tp_ep_pp.joined(instance));
  }
}

std::string canonical_spec(const Settings& s, const MegatronOrder& order) {
  CanonicalSpec canonical("megatron");
  canonical.always("tp", s.tp.value);
  canonical.unless(1, "pp", s.pp.value);
  canonical.unless(1, "cp", s.cp.value);
  canonical.unless(1, "ep", s.ep.value);
  canonical.unless(s.tp.value, "etp", s.etp.value);
  canonical.unless(1, "gtp", s.gtp.value);
  canonical.unless(1, "egtp", s.egtp.value);
  canonical.unless(1, "vpp", s.vpp.value);
  canonical.unless(1, "distopt", s.distopt.value);
  if (!s.hcp.empty()) {
    std::string levels;
    for (const int64_t level : s.hcp) levels += fmt::format("{}{}", levels.empty() ? "" : "x", level);
    canonical.always("hcp", levels);
  }
  canonical.unless(0, "hybrid", s.hybrid ? 1 : 0);
  if (!order.is_default()) canonical.always("order", order.text());
  canonical.unless(0, "rank_offset", s.offset);
  return canonical.text();
}

}  // namespace

Plan plan_megatron(const Spec& spec, int64_t world) {
  const Sizes sizes(spec, {"tp", "pp", "cp", "ep", "etp", "gtp", "egtp", "vpp", "distopt", "hcp", "hybrid", "order",
                           "rank_offset"});
  const Settings s = read(sizes, world);
  const MegatronOrder order(sizes, s.dense, s.experts);
  if (!order.pp_is_last() && s.dense.dp != s.experts.dp) {
    spec.refuse(order.position(), fmt::format("with order={}, where pp is not last, dense and expert data parallel sizes "
                                              "must be equal; they are {} and {}; try an order that ends in pp",
                                              order.text(), s.dense.dp, s.experts.dp));
  }
  Plan plan;
  const Grid dense = order.grid("", s.offset, s.dense, false);
  const Grid experts = order.grid("expert", s.offset, s.experts, true);
  plan.grids = {dense, experts};
  const Rule pp = dense.merged({"pp"});
  if (!pp.same_groups(experts.merged({"pp"}))) {
    spec.refuse(order.position(), fmt::format("order={} gives the dense and the expert layers different pipelines",
                                              order.text()));
  }
  add_dense(plan, sizes, s, dense);
  add_experts(plan, s, experts);
  plan.spec = canonical_spec(s, order);
  return plan;
}

}  // namespace ps::layout
