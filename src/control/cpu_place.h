// Where in its host a rank runs, as far as that decides what a cache line costs: the NUMA node and, within it, the CPUs
// that share a third-level cache. Known where all CPUs that the rank may use lie in one of them.
//
// Read from /sys: a small file for each cache of one CPU, which CPUs share one of them, which nodes there are, and a list
// of CPUs for each node. A kernel or container without them leaves it unknown, and so does a rank that is bound to nothing
// on a host with several nodes.
#pragma once

#include <string>

#include "control/cpus.h"

namespace ps {

struct CpuPlace {
  static constexpr int kUnknown = -1;

  int node = kUnknown;
  int cache = kUnknown;  // the first CPU of those that share it

  bool operator==(const CpuPlace&) const = default;
};

// Of a rank that may use `cpus`. `devices`: where the kernel shows processors and nodes.
CpuPlace find_place(const CpuSet& cpus, const std::string& devices = "/sys/devices/system");

// "1.8": node 1, cache 8; "1": the node alone; "none": neither. Errors of parse: ARGUMENT, naming `where` it is from.
std::string describe(const CpuPlace& place);
CpuPlace parse_place(const std::string& text, const char* where);

}  // namespace ps
