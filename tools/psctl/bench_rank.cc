#include <cstdio>
#include <set>
#include <stdexcept>

#include "bench.h"
#include "bench_calls.h"
#include "bench_memory.h"
#include "bench_output.h"
#include "bench_path.h"
#include "bench_report.h"
#include "bench_whole_world.h"
#include "bench_world.h"
#include "measure/rounds.h"

namespace psctl {
namespace {

using measure::PointResult;
using measure::Shape;
using measure::Visit;

std::string progress_text(const BenchOptions& options, const std::vector<Shape>& points, const Visit& visit) {
  const size_t done = static_cast<size_t>(visit.round) * points.size() + visit.point + 1;
  const size_t all = static_cast<size_t>(options.rounds) * points.size();
  const Shape& shape = points[visit.point];
  std::string text = "round " + std::to_string(visit.round + 1) + " of " + std::to_string(options.rounds) + ", " +
                     std::to_string(done * 100 / all) + " %: " + measure::name_of(shape.operation);
  if (shape.bytes() > 0) text += " " + measure::size_text(shape.bytes());
  return text;
}

std::string text_of(const BenchOptions& options, const std::vector<PointResult>& results) {
  if (options.format == "svg") return bench_svg(results);
  if (options.format == "table") return bench_table(results);
  std::string lines;
  for (const PointResult& result : results) lines += measure::json_line(result) + "\n";
  return lines;
}

int bench_operations(const BenchOptions& options) {
  BenchWorld world(options);
  measure::Meeting& meeting = world.meeting();
  // Not earlier: the library looks at the processors that it may use when the world forms.
  if (!options.is_unbound) measure::bind_to_processor(world.rank(), world.size());
  const std::vector<Shape> points = points_of(options, world.size());
  BenchMemory send(world, points, &measure::most_send_bytes, options.is_registered);
  BenchMemory recv(world, points, &measure::most_recv_bytes, options.is_registered);
  BenchCalls calls(world.group(), world.rank(), send.data(), recv.data());

  Progress progress(options.progress_fd);
  std::vector<std::vector<Visit>> visits(points.size());
  std::vector<std::set<std::string>> paths(points.size());
  PathsTaken taken(world.context(), world.group());
  measure::Plan plan;
  plan.rounds = options.rounds;
  plan.iterations = options.iterations;
  measure::measure_rounds(meeting, calls, points, plan, [&](const Visit& visit) {
    visits[visit.point].push_back(visit);
    taken.note(points[visit.point], paths[visit.point]);
    progress.show(progress_text(options, points, visit));
  });
  progress.clear();
  if (world.rank() != 0) return 0;

  std::vector<PointResult> results;
  for (size_t i = 0; i < points.size(); ++i) {
    PointResult& result = results.emplace_back(measure::summary(points[i], visits[i]));
    result.backend = world.backend();
    result.is_registered = options.is_registered;
    result.path = paths_text(paths[i]);
  }
  print_results(options.output_fd, text_of(options, results));
  for (const PointResult& result : results) {
    if (!result.is_verified) throw std::runtime_error("a result was wrong: see \"verified\"");
  }
  return 0;
}

}  // namespace

int bench_rank(const BenchOptions& options) {
  try {
    if (options.is_formation) return bench_formation(options);
    if (options.is_idle) return bench_idle(options);
    return bench_operations(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "psctl bench: %s\n", error.what());
    return 1;
  }
}

}  // namespace psctl
