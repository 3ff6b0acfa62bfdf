// `psctl plan`: what a layout's groups are, before any process starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace CLI {
class App;
}

namespace psctl {

struct PlanOptions {
  int32_t world = 0;
  std::string layout;
  std::string group;  // "" for all names
  std::optional<int32_t> rank;
  std::optional<int32_t> gpus_per_host;
  std::string format = "table";
  std::string diff;  // another layout of the same world
};

CLI::App* add_plan_command(CLI::App& app, PlanOptions& options);

// The exit code: 2 for a layout, rank or name that is refused, with the reason on stderr.
int plan_command(const PlanOptions& options);

}  // namespace psctl
