// What the control groups of this process allow it: CPU time and memory. Both versions of cgroups, also side by side, and
// wherever they are mounted: /proc/self says where. A limit of any group above counts too, so the one is told that leaves
// the least.
#pragma once

#include <cstdint>
#include <string>

namespace ps {

struct CgroupLimit {
  double value = 0;  // CPUs or bytes; 0: no limit
  double used = 0;   // bytes that cannot be taken back, by all members
  double swap = 0;   // bytes that may go to swap besides
  std::string file;  // that says so
};

// `root` goes before every path that is read. What cannot be read sets no limit.
CgroupLimit cgroup_cpu_limit(const std::string& root = "");
// `free_swap`: what the machine has, of which the groups may allow less.
CgroupLimit cgroup_memory_limit(double free_swap = 0, const std::string& root = "");

}  // namespace ps
