#include "control/cpu_place.h"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

constexpr int64_t kMostNumber = 65535;

std::string first_line(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

// A list that cannot be read is none.
CpuSet listed(const std::filesystem::path& file) {
  try {
    return parse_cpus(first_line(file));
  } catch (const Error&) {
    return {};
  }
}

bool lie_within(const CpuSet& cpus, const CpuSet& domain) { return cpus.any() && (cpus & ~domain).none(); }

int first_of(const CpuSet& cpus) { return static_cast<int>(cpus._Find_first()); }

// Calls visit(folder) for each folder called `name` and a number, until it returns true.
template <class Visit>
void visit_numbered(const std::filesystem::path& parent, const std::string& name, Visit&& visit) {
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(parent, failed); !failed && entry != end(entry); entry.increment(failed)) {
    const std::string file = entry->path().filename();
    if (!file.starts_with(name)) continue;
    const auto number = parse_integer(file.substr(name.size()));
    if (number && *number >= 0 && *number <= kMostNumber && visit(entry->path(), static_cast<int>(*number))) return;
  }
}

}  // namespace

CpuPlace find_place(const CpuSet& cpus, const std::string& devices) {
  CpuPlace place;
  if (cpus.none()) return place;
  const std::filesystem::path root(devices);
  visit_numbered(root / "node", "node", [&](const auto& folder, int number) {
    if (!lie_within(cpus, listed(folder / "cpulist"))) return false;
    place.node = number;
    return true;
  });
  visit_numbered(root / "cpu" / fmt::format("cpu{}", first_of(cpus)) / "cache", "index", [&](const auto& folder, int) {
    if (first_line(folder / "level") != "3") return false;
    const CpuSet sharing = listed(folder / "shared_cpu_list");
    if (lie_within(cpus, sharing)) place.cache = first_of(sharing);
    return true;
  });
  return place;
}

std::string describe(const CpuPlace& place) {
  if (place == CpuPlace{}) return "none";
  const auto number = [](int id) { return id == CpuPlace::kUnknown ? std::string() : std::to_string(id); };
  return number(place.node) + (place.cache == CpuPlace::kUnknown ? "" : "." + number(place.cache));
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
