#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "bench.h"

namespace psctl {
namespace {

using measure::DataType;
using measure::Operation;

constexpr const char* kDefaultSizes = "8,1K,8K,64K,1M,16M,64M";
constexpr int kMostRanks = 4096;
constexpr int kMostIterations = 2000;  // for which the ranks' times have room

constexpr const char* kExamples = R"(Examples:
  psctl bench --op all_reduce --ranks 2
  psctl bench --op all_reduce,broadcast --ranks 4 --sizes 8,16,...,64M --dtype bf16 --format svg > bench.svg
  psctl bench --op all --sizes 8,64K,16M --format json
  psctl bench --formation --ranks 512
  psctl bench --idle
Sizes and bandwidths are those of nccl-tests; times are the medians of several rounds in which all sizes take turns.
The line latency beside every point (one cache line from one process to another) tells how near the processors were to
each other: compare only points where it is equal. The exit code is 1 when an operation failed or its result was wrong,
and 2 for options that are refused.)";

[[noreturn]] void refuse(const std::string& option, const std::string& text) {
  throw CLI::ValidationError(option, text);
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> parts(1);
  for (const char c : list) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

template <class List, class Name>
std::string joined(const List& list, Name&& name) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + std::string(name(item));
  return text;
}

std::vector<Operation> operations_of(const std::string& list) {
  if (list == "all") return measure::all_operations();
  std::vector<Operation> operations;
  for (const std::string& name : split(list)) {
    Operation operation;
    if (!measure::parse(name, operation)) {
      refuse("--op", "\"" + name + "\" is no operation; there are all, " +
                         joined(measure::all_operations(), [](Operation known) { return measure::name_of(known); }));
    }
    if (std::find(operations.begin(), operations.end(), operation) == operations.end()) operations.push_back(operation);
  }
  return operations;
}

// "..." goes on with the factor of the two sizes before it, up to the one after it.
std::vector<size_t> sizes_of(const std::string& list) {
  std::set<size_t> sizes;
  size_t factor = 0;  // of an open "..."
  size_t before = 0;
  size_t last = 0;
  for (const std::string& part : split(list)) {
    if (part == "...") {
      if (before == 0 || last <= before || last % before != 0 || factor != 0) {
        refuse("--sizes", "\"...\" stands after two sizes, the second a multiple of the first: 8,16,...,64M");
      }
      factor = last / before;
      continue;
    }
    size_t size = 0;
    if (!measure::parse_size(part, size)) {
      refuse("--sizes", "\"" + part + "\" is no size; sizes are such as 8, 64K, 1M, 1G");
    }
    if (factor != 0) {
      for (size_t next = last * factor; next < size; next *= factor) sizes.insert(next);
      factor = 0;
    }
    sizes.insert(size);
    before = last;
    last = size;
  }
  if (factor != 0) refuse("--sizes", "\"...\" needs a size after it, where it ends");
  return {sizes.begin(), sizes.end()};
}

void add_options(CLI::App* bench, BenchOptions& options) {
  bench
      ->add_option_function<std::string>(
          "--op", [&options](const std::string& list) { options.operations = operations_of(list); },
          "The operations, by comma, or all")
      ->default_str("all_reduce");
  bench
      ->add_option_function<std::string>(
          "--sizes", [&options](const std::string& list) { options.sizes = sizes_of(list); }, "In bytes, by comma")
      ->default_str(kDefaultSizes);
  bench
      ->add_option_function<std::string>(
          "--dtype",
          [&options](const std::string& name) {
            if (!measure::parse(name, options.dtype)) {
              refuse("--dtype", "\"" + name + "\" is none of i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64");
            }
          },
          "The data type")
      ->default_str("f32");
  bench->add_flag("--registered", options.is_registered, "Buffers from psMemAlloc, which every rank reaches");
  bench->add_option("--backend", options.backend, "As psConfig.backend; the library chooses without it");
  bench
      ->add_option_function<std::string>(
          "--iterations",
          [&options](const std::string& text) {
            if (text == "auto") return;
            const bool is_number = text.find_first_not_of("0123456789") == std::string::npos;
            options.iterations = is_number && !text.empty() && text.size() <= 6 ? std::stoll(text) : 0;
            if (options.iterations < 1 || options.iterations > kMostIterations) {
              refuse("--iterations", "\"" + text + "\" is neither auto nor a number from 1 to " +
                                         std::to_string(kMostIterations));
            }
          },
          "Of a size in a round: a number, or auto for about a tenth of a second")
      ->default_str("auto");
  bench->add_option("--rounds", options.rounds, "How often all sizes take turns")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  bench->add_option("--format", options.format, "How to print it; JSON is one object a line")
      ->check(CLI::IsMember({"table", "json", "svg"}))
      ->capture_default_str();
  bench->add_flag("--unbound", options.is_unbound, "Bind no rank to a processor, also where each could have its own");
  bench->add_flag("--formation", options.is_formation, "Measure how long a world takes to form, and its memory");
  bench->add_flag("--idle", options.is_idle, "Measure the processor time of a rank that does nothing");
  bench->add_option("--seconds", options.idle_seconds, "Of --idle, each of asleep and waiting")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
}

// What single options cannot know.
void check_together(const CLI::App& bench, BenchOptions& options) {
  if (options.sizes.empty()) options.sizes = sizes_of(kDefaultSizes);
  if (options.is_formation && options.is_idle) refuse("--formation", "goes without --idle; they are two measurements");
  if (!options.is_formation && !options.is_idle) {
    if (bench.count("--seconds") > 0) refuse("--seconds", "belongs to --idle; --iterations bounds an operation");
    const bool is_barrier_alone = options.operations == std::vector{Operation::kBarrier};
    if (options.format == "svg" && is_barrier_alone) refuse("--format", "svg draws over sizes, and a barrier has none");
    return;
  }
  const char* mode = options.is_formation ? "--formation" : "--idle";
  for (const char* other : {"--op", "--sizes", "--dtype", "--registered", "--iterations", "--rounds", "--unbound"}) {
    if (bench.count(other) > 0) refuse(other, std::string("does not go with ") + mode + ", which runs no operation");
  }
  if (options.format == "svg") refuse("--format", std::string("svg does not go with ") + mode + "; table and json do");
}

}  // namespace

CLI::App* add_bench_command(CLI::App& app, BenchOptions& options) {
  CLI::App* bench = app.add_subcommand("bench", "Measure operations, the forming of worlds, and idle ranks");
  bench->footer(kExamples);
  bench->add_option("--ranks", options.ranks, "How many ranks to start")
      ->check(CLI::Range(1, kMostRanks))
      ->capture_default_str();
  add_options(bench, options);
  bench->callback([bench, &options] { check_together(*bench, options); });
  return bench;
}

CLI::App* add_bench_rank_command(CLI::App& app, BenchOptions& options) {
  CLI::App* bench = app.add_subcommand("bench-rank", "")->group("");
  bench->add_option("--ranks", options.ranks, "");
  bench->add_option("--output-fd", options.output_fd, "");
  bench->add_option("--progress-fd", options.progress_fd, "");
  bench->add_option("--started-ns", options.started_ns, "");
  add_options(bench, options);
  bench->callback([bench, &options] { check_together(*bench, options); });
  return bench;
}

std::vector<measure::Shape> points_of(const BenchOptions& options, int32_t ranks) {
  std::vector<measure::Shape> points;
  for (const Operation operation : options.operations) {
    std::set<size_t> counts;
    for (const size_t size : options.sizes) {
      const auto shape = measure::Shape::of(operation, options.dtype, ranks, size);
      if (counts.insert(shape.count).second) points.push_back(shape);
    }
  }
  return points;
}

}  // namespace psctl
