#include "bench_whole_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "bench_output.h"
#include "bench_world.h"
#include "measure/clock.h"
#include "measure/statistics.h"

namespace psctl {
namespace {

struct Memory {
  int64_t resident_kib = 0;
  int64_t own_kib = 0;     // anonymous pages: heap, stacks, and what relocation and writing copied of files
  int64_t shared_kib = 0;  // pages of shared memory that it has touched
};

Memory memory_now() {
  Memory memory;
  std::ifstream file("/proc/self/status");
  for (std::string key; file >> key; file.ignore(256, '\n')) {
    if (key == "VmRSS:") file >> memory.resident_kib;
    if (key == "RssAnon:") file >> memory.own_kib;
    if (key == "RssShmem:") file >> memory.shared_kib;
  }
  return memory;
}

// Of one rank, gathered on the first.
struct Formation {
  int64_t began_ns;    // psInit
  int64_t formed_ns;   // psInit returned
  int64_t met_ns;      // the first barrier returned
  int64_t own_growth_kib;
  int64_t shared_kib;
  int64_t resident_kib;
};

template <class Row>
std::vector<Row> gathered(const BenchWorld& world, const Row& own) {
  constexpr size_t kFields = sizeof(Row) / sizeof(int64_t);
  std::vector<Row> rows(world.rank() == 0 ? static_cast<size_t>(world.size()) : 0);
  check(psGather(world.group(), &own, rows.data(), kFields, PS_INT64, 0, nullptr, nullptr), "psGather");
  return rows;
}

template <class Row>
std::vector<double> column(const std::vector<Row>& rows, int64_t Row::*field) {
  std::vector<double> values;
  for (const Row& row : rows) values.push_back(static_cast<double>(row.*field));
  return values;
}

template <class Row>
double most(const std::vector<Row>& rows, int64_t Row::*field) {
  return measure::quantile(column(rows, field), 1);
}

std::string formation_text(const BenchOptions& options, const std::vector<Formation>& rows) {
  const double began = measure::quantile(column(rows, &Formation::began_ns), 0);
  const double formed = most(rows, &Formation::formed_ns);
  const double init_s = (formed - began) / 1e9;
  const double launch_s = options.started_ns > 0 ? (formed - static_cast<double>(options.started_ns)) / 1e9 : 0;
  const double barrier_s = (most(rows, &Formation::met_ns) - formed) / 1e9;
  const double own = measure::median(column(rows, &Formation::own_growth_kib));
  const double own_most = most(rows, &Formation::own_growth_kib);
  const double shared = measure::median(column(rows, &Formation::shared_kib));
  const double shared_most = most(rows, &Formation::shared_kib);
  const double resident = measure::median(column(rows, &Formation::resident_kib));
  if (options.format == "json") {
    return fmt::format(
        "{{\"what\": \"formation\", \"ranks\": {}, \"launch_s\": {}, \"init_s\": {:.4f}, \"first_barrier_s\": {:.4f}, "
        "\"own_kib\": {:.0f}, \"own_max_kib\": {:.0f}, \"shared_kib\": {:.0f}, \"shared_max_kib\": {:.0f}, "
        "\"resident_kib\": {:.0f}}}\n",
        rows.size(), launch_s > 0 ? fmt::format("{:.4f}", launch_s) : "null", init_s, barrier_s, own, own_most, shared,
        shared_most, resident);
  }
  std::string text = fmt::format("A world of {} {}\n\n", rows.size(), rows.size() == 1 ? "rank" : "ranks");
  if (launch_s > 0) text += fmt::format("from the command to all formed  {:.3f} s\n", launch_s);
  text += fmt::format("first psInit to all formed      {:.3f} s\n", init_s);
  text += fmt::format("first barrier after it          {:.4f} s\n\n", barrier_s);
  text += fmt::format("memory of a rank after it       median       most\n");
  text += fmt::format("own, that the world added   {:>7.0f} KiB {:>6.0f} KiB\n", own, own_most);
  text += fmt::format("shared, touched by it       {:>7.0f} KiB {:>6.0f} KiB\n", shared, shared_most);
  text += fmt::format("resident, with the program  {:>7.0f} KiB {:>6.0f} KiB\n", resident,
                      most(rows, &Formation::resident_kib));
  text += "\nown: anonymous pages that psInit and the first barrier added to a fresh process; most: the store's host\n"
          "shared: pages of one mapping that all ranks of a host share; each counts those that it has touched\n";
  return text;
}

int64_t processor_ns() {
  timespec used;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

void sleep_for(double seconds) {
  const auto whole = static_cast<time_t>(seconds);
  timespec left{whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  while (::nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

struct Idleness {
  int64_t asleep_ns;
  int64_t waiting_ns;  // of the first rank, which lets the others wait: what it took asleep again
};

std::string idle_text(const BenchOptions& options, const std::vector<Idleness>& rows) {
  const double asleep = most(rows, &Idleness::asleep_ns) / 1e6;
  const double waiting = most(rows, &Idleness::waiting_ns) / 1e6;
  if (options.format == "json") {
    return fmt::format(
        "{{\"what\": \"idle\", \"ranks\": {}, \"seconds\": {}, \"asleep_cpu_ms\": {:.3f}, "
        "\"waiting_cpu_ms\": {:.3f}}}\n",
        rows.size(), options.idle_seconds, asleep, waiting);
  }
  return fmt::format(
      "A world of {} {}, idle for {} s twice; processor time of the rank that took most\n\n"
      "no call of the library      {:.3f} ms\n"
      "waiting in psBarrier        {:.3f} ms\n",
      rows.size(), rows.size() == 1 ? "rank" : "ranks", options.idle_seconds, asleep, waiting);
}

}  // namespace

int bench_formation(const BenchOptions& options) {
  const Memory before = memory_now();
  Formation own{};
  own.began_ns = measure::now_ns();
  BenchWorld world(options);
  own.formed_ns = measure::now_ns();
  check(psBarrier(world.group(), nullptr), "psBarrier");
  own.met_ns = measure::now_ns();
  const Memory after = memory_now();
  own.own_growth_kib = after.own_kib - before.own_kib;
  own.shared_kib = after.shared_kib;
  own.resident_kib = after.resident_kib;
  const std::vector<Formation> rows = gathered(world, own);
  if (world.rank() == 0) print_results(options.output_fd, formation_text(options, rows));
  check(psBarrier(world.group(), nullptr), "psBarrier");
  return 0;
}

int bench_idle(const BenchOptions& options) {
  BenchWorld world(options);
  Progress progress(options.progress_fd);
  Idleness own{};
  check(psBarrier(world.group(), nullptr), "psBarrier");
  if (world.rank() == 0) progress.show(fmt::format("asleep for {} s", options.idle_seconds));
  int64_t before = processor_ns();
  sleep_for(options.idle_seconds);
  own.asleep_ns = processor_ns() - before;

  check(psBarrier(world.group(), nullptr), "psBarrier");
  if (world.rank() == 0) progress.show(fmt::format("waiting for {} s", options.idle_seconds));
  before = processor_ns();
  if (world.rank() == 0) sleep_for(options.idle_seconds);
  check(psBarrier(world.group(), nullptr), "psBarrier");
  own.waiting_ns = processor_ns() - before;
  progress.clear();
  const std::vector<Idleness> rows = gathered(world, own);
  if (world.rank() == 0) print_results(options.output_fd, idle_text(options, rows));
  return 0;
}

}  // namespace psctl
