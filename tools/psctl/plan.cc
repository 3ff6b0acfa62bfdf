#include "plan.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>

#include "plan_layout.h"
#include "plan_picture.h"
#include "plan_summary.h"
#include "plan_text.h"

namespace psctl {
namespace {

constexpr const char* kExamples = R"(Examples:
  psctl plan --world 16 --layout sglang:tp=8,pp=2 --hosts 8
  psctl plan --world 64 --layout "megatron:tp=2,pp=2,ep=8" --rank 37
  psctl plan --world 64 --layout vllm:tp=8,dp=8 --diff vllm:tp=4,pp=2,dp=8
  psctl plan --world 32 --layout "grid:tp=4,cp=2,dp=*" --group tp-cp --format json
  psctl plan --world 64 --layout "trtllm:tp=64,moe_ep=64" --hosts 8 --format html > plan.html
No process is started. The exit code is 2 for a layout that is refused; the reason is on stderr.)";

void check_combination(const PlanOptions& options, const PlannedLayout& layout) {
  if (!options.diff.empty()) {
    if (options.rank || options.gpus_per_host || !options.group.empty()) {
      throw Refusal("--diff compares whole layouts; it goes with none of --rank, --group and --hosts");
    }
    if (options.format != "table" && options.format != "json") {
      throw Refusal("--diff has no picture; it goes with --format table or json");
    }
  }
  if (options.rank && (*options.rank < 0 || *options.rank >= layout.world())) {
    throw Refusal("rank " + std::to_string(*options.rank) + " is not in the world 0 .. " +
                  std::to_string(layout.world() - 1));
  }
  if (!options.group.empty()) layout.group_count(options.group);  // refuses an unknown name, listing those there are
}

std::string text_of(const PlanOptions& options) {
  const PlannedLayout layout(options.layout, options.world);
  check_combination(options, layout);
  const bool is_table = options.format == "table";
  if (!options.diff.empty()) {
    const PlannedLayout other(options.diff, options.world);
    return is_table ? diff_table(layout, other, output_width()) : layout.difference(other) + "\n";
  }
  if (options.format == "svg") return plan_svg(layout, options);
  const bool is_html = options.format == "html";
  if (options.rank && !is_html) {
    return is_table ? rank_table(layout, options, output_width()) : rank_json(layout, options) + "\n";
  }
  if (is_html) check_picture(layout);
  const Summary summary = summarize(layout, options.gpus_per_host.value_or(0), options.group);
  if (is_html) return plan_html(layout, summary, options);
  return is_table ? plan_table(layout, summary, options.group, output_width())
                  : plan_json(layout, summary, options.group) + "\n";
}

}  // namespace

CLI::App* add_plan_command(CLI::App& app, PlanOptions& options) {
  CLI::App* plan = app.add_subcommand("plan", "Show the groups of a layout before any process starts");
  plan->footer(kExamples);
  plan->add_option("--world", options.world, "How many ranks")->required();
  plan->add_option("--layout", options.layout, "The spec: preset:key=value,...")->required();
  plan->add_option("--group", options.group, "One name, or axes merged by '-' (tp-cp): all its groups");
  plan->add_option("--rank", options.rank, "One rank: what it is");
  plan->add_option("--hosts", options.gpus_per_host, "GPUS_PER_HOST, to see which groups cross hosts")
      ->check(CLI::Range(1, std::numeric_limits<int32_t>::max()));
  plan->add_option("--format", options.format, "How to print it")
      ->check(CLI::IsMember({"table", "json", "svg", "html"}))
      ->capture_default_str();
  plan->add_option("--diff", options.diff, "Another spec of the same world: what differs");
  return plan;
}

int plan_command(const PlanOptions& options) {
  std::string text;
  try {
    text = text_of(options);
  } catch (const Refusal& refusal) {
    std::fprintf(stderr, "psctl plan: %s\n", refusal.what());
    return 2;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    std::perror("psctl plan: cannot write to stdout");
    return 1;
  }
  return 0;
}

}  // namespace psctl
