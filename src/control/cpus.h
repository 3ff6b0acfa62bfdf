// Which CPUs a rank may use, and whether the ranks of a host have enough of them: by affinity mask and cgroup quota, since
// the number of processors says neither.
#pragma once

#include <bitset>
#include <span>
#include <string>

namespace ps {

// As many as Linux can be built for.
using CpuSet = std::bitset<8192>;

// The calling thread's affinity mask.
CpuSet own_cpus();

// As in /sys and taskset: "0-3,8". Errors of parse: ARGUMENT.
std::string describe(const CpuSet& cpus);
CpuSet parse_cpus(const std::string& list);

// The CPUs of the calling thread by mask and quota, at least 1.
int usable_cpus();

// Ranks of one host that may use the same CPUs; none of them: unknown.
struct RanksOnCpus {
  CpuSet cpus;
  int ranks;
};

// Whether ranks must share CPUs: because they have a quota of `quota` CPUs together (0: none) and are more, or because
// more of them are bound to some CPUs than these are. Ranks that a launcher has bound to a CPU each are not crowded,
// although each has one CPU alone.
bool crowded(std::span<const RanksOnCpus> host, double quota);

}  // namespace ps
