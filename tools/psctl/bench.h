// `psctl bench`: how long operations take, what a world costs to form, and what an idle rank costs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "measure/shape.h"

namespace CLI {
class App;
}

namespace psctl {

struct BenchOptions {
  int32_t ranks = 2;
  std::vector<measure::Operation> operations = {measure::Operation::kAllReduce};
  std::vector<size_t> sizes;
  measure::DataType dtype = measure::DataType::kF32;
  bool is_registered = false;
  std::string backend;
  int64_t iterations = 0;  // 0: auto
  int rounds = 3;
  std::string format = "table";
  bool is_unbound = false;

  bool is_formation = false;
  bool is_idle = false;
  double idle_seconds = 10;

  // Of a rank: where its results and its progress go, and when psctl began.
  int output_fd = 1;
  int progress_fd = 2;
  int64_t started_ns = 0;
};

// `bench`, and hidden `bench-rank` with the same options, which is one rank of it.
CLI::App* add_bench_command(CLI::App& app, BenchOptions& options);
CLI::App* add_bench_rank_command(CLI::App& app, BenchOptions& options);

// What is measured with a world of so many ranks: every operation at every size, each once.
std::vector<measure::Shape> points_of(const BenchOptions& options, int32_t ranks);

// Starts the ranks, of which the first prints the results. `arguments` is what follows "bench". Within a world that
// somebody else has started (psctl run, mpirun), where --ranks is not given, this process is a rank itself.
int bench_command(const BenchOptions& options, bool are_ranks_given, const std::vector<std::string>& arguments);

// One rank: its place in the world comes from the environment.
int bench_rank(const BenchOptions& options);

}  // namespace psctl
