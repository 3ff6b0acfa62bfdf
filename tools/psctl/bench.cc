// Starts the ranks as `psctl run` does; this program itself is each rank's command. What a rank prints goes through
// psctl and is marked with its number, so the first rank gets copies of stdout and stderr for results and progress.
#include "bench.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "descriptor.h"
#include "measure/clock.h"
#include "run.h"

namespace psctl {
namespace {

// Not closed by exec.
Descriptor inherited_copy(int fd) {
  Descriptor copy(::dup(fd));
  if (!copy) fail_errno("cannot copy a standard stream");
  return copy;
}

double gib(double bytes) { return bytes / (1 << 30); }

// 0 where it is not known.
double available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  for (double kib = 0; file >> key >> kib; file.ignore(64, '\n')) {
    if (key == "MemAvailable:") return kib * 1024;
  }
  return 0;
}

// "" when all ranks' buffers find room: a refusal now is better than ranks that the kernel kills.
std::string why_no_room(const BenchOptions& options) {
  const std::vector<measure::Shape> points = points_of(options, options.ranks);
  double needed = 0;
  for (int rank = 0; rank < options.ranks; ++rank) {
    needed += static_cast<double>(measure::most_send_bytes(points, rank));
    needed += static_cast<double>(measure::most_recv_bytes(points, rank));
  }
  const double available = available_bytes();
  if (available == 0 || needed < 0.8 * available) return "";
  char text[200];
  std::snprintf(text, sizeof text,
                "the buffers of %d ranks need %.1f GiB, and this host has %.1f GiB to give; take fewer ranks or a "
                "smaller last size",
                options.ranks, gib(needed), gib(available));
  return text;
}

bool is_in_a_world() {
  for (const char* name : {"PS_RANK", "RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return true;
  }
  return false;
}

}  // namespace

int bench_command(const BenchOptions& options, bool are_ranks_given, const std::vector<std::string>& arguments) {
  if (!are_ranks_given && is_in_a_world()) return bench_rank(options);
  if (!options.is_formation && !options.is_idle) {
    if (const std::string why = why_no_room(options); !why.empty()) {
      std::fprintf(stderr, "psctl bench: %s\n", why.c_str());
      return 2;
    }
  }
  const Descriptor output = inherited_copy(STDOUT_FILENO);
  const Descriptor progress = inherited_copy(STDERR_FILENO);
  Program rank;
  rank.count = options.ranks;
  rank.command = {std::filesystem::read_symlink("/proc/self/exe").string(), "bench-rank"};
  rank.command.insert(rank.command.end(), arguments.begin(), arguments.end());
  const auto add = [&rank](const char* option, const std::string& value) {
    rank.command.insert(rank.command.end(), {option, value});
  };
  add("--output-fd", std::to_string(output.get()));
  add("--progress-fd", std::to_string(progress.get()));
  add("--started-ns", std::to_string(measure::now_ns()));
  RunOptions run;
  run.programs.push_back(rank);
  run.quiet = true;
  return run_world(run);
}

}  // namespace psctl
