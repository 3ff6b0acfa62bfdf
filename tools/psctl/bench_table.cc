#include <fmt/format.h>

#include <algorithm>

#include "bench_report.h"

namespace psctl {
namespace {

using measure::PointResult;

// With as many digits as carry something.
std::string rounded(double value) {
  if (value < 0.01) return fmt::format("{:.1g}", value);
  if (value < 10) return fmt::format("{:.3f}", value);
  if (value < 1000) return fmt::format("{:.1f}", value);
  return fmt::format("{:.0f}", value);
}

std::vector<std::string> row_of(const PointResult& result) {
  const bool has_size = result.shape.bytes() > 0;
  return {measure::name_of(result.shape.operation),
          has_size ? measure::size_text(result.shape.bytes()) : "-",
          result.path.empty() ? "-" : result.path,
          rounded(result.median_us),
          rounded(result.p99_us),
          rounded(result.min_us),
          has_size ? rounded(result.shape.algorithm_bandwidth(result.median_us)) : "-",
          has_size ? rounded(result.shape.bus_bandwidth(result.median_us)) : "-",
          fmt::format("{:.0f}", result.line_ns),
          std::to_string(result.iterations),
          result.is_verified ? "yes" : "NO"};
}

std::string heading(const std::vector<PointResult>& results) {
  const PointResult& first = results.front();
  double least = first.line_min_ns;
  double most = first.line_max_ns;
  for (const PointResult& result : results) {
    least = std::min(least, result.line_min_ns);
    most = std::max(most, result.line_max_ns);
  }
  std::string text = fmt::format("{} {} of {}, {}, {} {}", first.shape.ranks, first.shape.ranks == 1 ? "rank" : "ranks",
                                 measure::name_of(first.shape.dtype), first.backend, first.rounds,
                                 first.rounds == 1 ? "round" : "rounds");
  if (first.is_registered) text += ", registered memory";
  if (first.shape.ranks > 1) text += fmt::format(", a cache line takes {:.0f} to {:.0f} ns one way", least, most);
  return text + "\n\n";
}

}  // namespace

std::string bench_table(const std::vector<PointResult>& results) {
  std::vector<std::vector<std::string>> rows = {{"operation", "size", "path", "median us", "p99 us", "min us",
                                                 "alg GB/s", "bus GB/s", "line ns", "iterations", "verified"}};
  for (const PointResult& result : results) rows.push_back(row_of(result));
  std::vector<size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text = heading(results);
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool is_text = i == 0 || i == 2;
      text += is_text ? fmt::format("{:<{}}", row[i], widths[i]) : fmt::format("{:>{}}", row[i], widths[i]);
      text += i + 1 < row.size() ? "  " : "\n";
    }
  }
  return text;
}

}  // namespace psctl
