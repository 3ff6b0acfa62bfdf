#include "control/cpu_place.h"

#include <fmt/core.h>

#include "base/environment.h"
#include "base/error.h"
#include "base/text_file.h"

namespace ps {
namespace {

constexpr int64_t kMostNumber = 65535;
constexpr int kMostCaches = 8;  // of a CPU; there are two of the first level and one of each other

// "" of a file that cannot be read.
std::string first_line(const std::string& file) {
  TextFile stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// A list that cannot be read is none.
CpuSet listed(const std::string& file) {
  try {
    return parse_cpus(first_line(file));
  } catch (const Error&) {
    return {};
  }
}

bool lie_within(const CpuSet& cpus, const CpuSet& domain) { return cpus.any() && (cpus & ~domain).none(); }

int first_of(const CpuSet& cpus) { return static_cast<int>(cpus._Find_first()); }

}  // namespace

CpuPlace find_place(const CpuSet& cpus, const std::string& devices) {
  CpuPlace place;
  if (cpus.none()) return place;
  // Nodes are listed as CPUs are.
  const CpuSet nodes = listed(devices + "/node/online");
  for (size_t node = nodes._Find_first(); node < nodes.size(); node = nodes._Find_next(node)) {
    if (!lie_within(cpus, listed(fmt::format("{}/node/node{}/cpulist", devices, node)))) continue;
    place.node = static_cast<int>(node);
    break;
  }
  for (int index = 0; index < kMostCaches; ++index) {
    const std::string cache = fmt::format("{}/cpu/cpu{}/cache/index{}", devices, first_of(cpus), index);
    if (first_line(cache + "/level") != "3") continue;
    const CpuSet sharing = listed(cache + "/shared_cpu_list");
    if (lie_within(cpus, sharing)) place.cache = first_of(sharing);
    break;
  }
  return place;
}

std::string describe(const CpuPlace& place) {
  if (place == CpuPlace{}) return "none";
  std::string text;
  if (place.node != CpuPlace::kUnknown) text += std::to_string(place.node);
  if (place.cache != CpuPlace::kUnknown) text += fmt::format(".{}", place.cache);
  return text;
}

CpuPlace parse_place(const std::string& text, const char* where) {
  if (text == "none") return {};
  const auto read = [&](const std::string& part) {
    const auto number = parse_integer(part);
    if (!number || *number < 0 || *number > kMostNumber) {
      fail(PS_ERR_ARGUMENT,
           "{}=\"{}\" is no place of a rank in its host; that is NODE.CACHE like 1.8, a NUMA node alone like 1, or none", where,
           text);
    }
    return static_cast<int>(*number);
  };
  CpuPlace place;
  const size_t dot = text.find('.');
  if (dot != 0) place.node = read(text.substr(0, dot));
  if (dot != std::string::npos) place.cache = read(text.substr(dot + 1));
  return place;
}

}  // namespace ps
