#include "control/cgroup.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include "base/text_file.h"

namespace ps {
namespace {

// Where a controller's files of this process lie: from its own group up to the root of what is mounted.
struct Place {
  bool unified;  // version 2
  std::vector<std::string> folders;
};

bool has_word(const std::string& list, const std::string& word) {
  std::istringstream words(list);
  for (std::string each; std::getline(words, each, ',');) {
    if (each == word) return true;
  }
  return false;
}

// The lines "number:controllers:path" of /proc/self/cgroup; version 2 has number 0 and no controllers.
std::optional<std::string> group_path(const std::string& root, const std::string& controller) {
  TextFile file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool wanted = controller.empty() ? controllers.empty() : has_word(controllers, controller);
    if (wanted) return line.substr(second + 1);
  }
  return std::nullopt;
}

// From a group up to the root of its mount. A container may see a part of the tree alone: then the mount has a root that
// the path begins with, or the path leads out of what is visible, and the mount's own folder is the nearest that is.
std::vector<std::string> folders_of(const std::string& mount, const std::string& mount_root, std::string path) {
  if (mount_root != "/") path = path.starts_with(mount_root) ? path.substr(mount_root.size()) : "";
  if (path.find("..") != std::string::npos) path.clear();
  std::vector<std::string> folders;
  while (!path.empty() && path != "/") {
    folders.push_back(mount + path);
    path.erase(path.rfind('/'));
  }
  folders.push_back(mount);
  return folders;
}

// A line of mountinfo: id parent device root mount options [tags] - type source super_options (proc(5)).
std::vector<Place> places(const std::string& root, const std::string& controller) {
  std::vector<Place> found;
  TextFile file(root + "/proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    std::istringstream before(line.substr(0, dash));
    std::istringstream after(line.substr(dash + 3));
    std::string id, parent, device, mount_root, mount, type, source, options;
    before >> id >> parent >> device >> mount_root >> mount;
    after >> type >> source >> options;
    const bool unified = type == "cgroup2";
    if (!unified && (type != "cgroup" || !has_word(options, controller))) continue;
    if (const auto path = group_path(root, unified ? "" : controller)) {
      found.push_back({unified, folders_of(root + mount, mount_root, *path)});
    }
  }
  return found;
}

// "max", -1 and the like are no numbers above 0.
double number_in(const std::string& file) {
  TextFile stream(file);
  double value = 0;
  return stream >> value && value > 0 ? value : 0;
}

CgroupLimit cpus_in(const std::string& folder, bool unified) {
  CgroupLimit limit;
  limit.file = folder + (unified ? "/cpu.max" : "/cpu.cfs_quota_us");
  TextFile stream(limit.file);
  double quota = 0;
  double period = 0;
  stream >> quota;
  if (unified) {
    stream >> period;
  } else {
    period = number_in(folder + "/cpu.cfs_period_us");
  }
  if (quota > 0 && period > 0) limit.value = quota / period;
  return limit;
}

// Version 1 says "none" as the largest number of whole pages.
constexpr double kUnlimited = 1LL << 60;

// Cached files give way. What is shared is not among them.
double cached_bytes(const std::string& folder, bool unified) {
  TextFile stream(folder + "/memory.stat");
  std::string key;
  double bytes = 0;
  for (double value = 0; stream >> key >> value;) {
    if (key == (unified ? "inactive_file" : "total_inactive_file") || key == (unified ? "active_file" : "total_active_file")) {
      bytes += value;
    }
  }
  return bytes;
}

CgroupLimit bytes_in(const std::string& folder, bool unified, const char* most, const char* used, double swap) {
  CgroupLimit limit;
  limit.file = folder + most;
  limit.value = number_in(limit.file);
  if (limit.value <= 0 || limit.value >= kUnlimited) return {};
  limit.used = std::max(number_in(folder + used) - cached_bytes(folder, unified), 0.0);
  limit.swap = swap;
  return limit;
}

// Of swap, whose limit may be 0.
double swap_left_in(const std::string& folder) {
  TextFile stream(folder + "/memory.swap.max");
  double most = 0;
  if (!(stream >> most)) return kUnlimited;
  return std::max(most - number_in(folder + "/memory.swap.current"), 0.0);
}

void take_smaller(CgroupLimit& limit, CgroupLimit found) {
  const auto left = [](const CgroupLimit& of) { return of.value - of.used + of.swap; };
  if (found.value > 0 && (limit.value == 0 || left(found) < left(limit))) limit = std::move(found);
}

}  // namespace

CgroupLimit cgroup_cpu_limit(const std::string& root) {
  CgroupLimit limit;
  for (const Place& place : places(root, "cpu")) {
    for (const std::string& folder : place.folders) take_smaller(limit, cpus_in(folder, place.unified));
  }
  return limit;
}

CgroupLimit cgroup_memory_limit(double free_swap, const std::string& root) {
  CgroupLimit limit;
  for (const Place& place : places(root, "memory")) {
    double swap = free_swap;
    for (const std::string& folder : place.folders) {
      // A page that goes to swap counts in every group above.
      if (place.unified) swap = std::min(swap, swap_left_in(folder));
    }
    for (const std::string& folder : place.folders) {
      if (place.unified) {
        take_smaller(limit, bytes_in(folder, true, "/memory.max", "/memory.current", swap));
        continue;
      }
      take_smaller(limit, bytes_in(folder, false, "/memory.limit_in_bytes", "/memory.usage_in_bytes", swap));
      // Memory and swap together, so there is none besides.
      take_smaller(limit, bytes_in(folder, false, "/memory.memsw.limit_in_bytes", "/memory.memsw.usage_in_bytes", 0));
    }
  }
  return limit;
}

}  // namespace ps
