#include "control/cgroup.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

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
  std::ifstream file(root + "/proc/self/cgroup");
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
  std::ifstream file(root + "/proc/self/mountinfo");
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
  std::ifstream stream(file);
  double value = 0;
  return stream >> value && value > 0 ? value : 0;
}

CgroupLimit cpus_in(const std::string& folder, bool unified) {
  CgroupLimit limit;
  limit.file = folder + (unified ? "/cpu.max" : "/cpu.cfs_quota_us");
  std::ifstream stream(limit.file);
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

CgroupLimit bytes_in(const std::string& folder, bool unified) {
  CgroupLimit limit;
  limit.file = folder + (unified ? "/memory.max" : "/memory.limit_in_bytes");
  limit.value = number_in(limit.file);
  if (limit.value <= 0 || limit.value >= kUnlimited) return {};
  limit.used = number_in(folder + (unified ? "/memory.current" : "/memory.usage_in_bytes"));
  // Cached files give way. What is shared is not among them.
  std::ifstream stream(folder + "/memory.stat");
  std::string key;
  double value = 0;
  while (stream >> key >> value) {
    if (key == (unified ? "inactive_file" : "total_inactive_file") || key == (unified ? "active_file" : "total_active_file")) {
      limit.used -= value;
    }
  }
  limit.used = std::max(limit.used, 0.0);
  return limit;
}

template <class Read>
CgroupLimit smallest(const std::string& root, const std::string& controller, Read&& read) {
  CgroupLimit limit;
  for (const Place& place : places(root, controller)) {
    for (const std::string& folder : place.folders) {
      CgroupLimit found = read(folder, place.unified);
      if (found.value > 0 && (limit.value == 0 || found.value - found.used < limit.value - limit.used)) limit = std::move(found);
    }
  }
  return limit;
}

}  // namespace

CgroupLimit cgroup_cpu_limit(const std::string& root) { return smallest(root, "cpu", cpus_in); }

CgroupLimit cgroup_memory_limit(const std::string& root) { return smallest(root, "memory", bytes_in); }

}  // namespace ps
