#include "measure/point.h"

#include <algorithm>
#include <cstdio>

#include "measure/statistics.h"

namespace measure {
namespace {

std::string quoted(const std::string& text) {
  std::string all = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') all += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) all += c;
  }
  return all + '"';
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

const char* truth(bool value) { return value ? "true" : "false"; }

}  // namespace

PointResult summary(const Shape& shape, const std::vector<Visit>& visits) {
  PointResult result;
  result.shape = shape;
  result.rounds = static_cast<int>(visits.size());
  std::vector<double> medians;
  std::vector<double> all;
  std::vector<double> lines;
  for (const Visit& visit : visits) {
    medians.push_back(median(visit.us));
    all.insert(all.end(), visit.us.begin(), visit.us.end());
    lines.insert(lines.end(), {visit.line_before_ns, visit.line_after_ns});
    result.is_verified = result.is_verified && visit.is_verified;
  }
  if (visits.empty()) return result;
  result.iterations = all.size();
  result.median_us = median(medians);
  result.p99_us = quantile(all, 0.99);
  result.min_us = quantile(all, 0);
  result.line_ns = median(lines);
  result.line_min_ns = quantile(lines, 0);
  result.line_max_ns = quantile(lines, 1);
  return result;
}

std::string json_line(const PointResult& result) {
  const Shape& shape = result.shape;
  std::string line = "{\"op\": " + quoted(name_of(shape.operation));
  const auto add = [&line](const char* key, const std::string& value) {
    line += std::string(", \"") + key + "\": " + value;
  };
  add("ranks", std::to_string(shape.ranks));
  add("bytes", std::to_string(shape.bytes()));
  add("dtype", quoted(name_of(shape.dtype)));
  add("path", quoted(result.path));
  add("registered", truth(result.is_registered));
  add("backend", quoted(result.backend));
  add("median_us", number(result.median_us));
  add("p99_us", number(result.p99_us));
  add("min_us", number(result.min_us));
  add("iterations", std::to_string(result.iterations));
  add("rounds", std::to_string(result.rounds));
  add("algbw_gbs", number(shape.algorithm_bandwidth(result.median_us)));
  add("busbw_gbs", number(shape.bus_bandwidth(result.median_us)));
  add("line_ns", number(result.line_ns));
  add("line_min_ns", number(result.line_min_ns));
  add("line_max_ns", number(result.line_max_ns));
  add("verified", truth(result.is_verified));
  return line + "}";
}

}  // namespace measure
