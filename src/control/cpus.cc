#include "control/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>

#include "base/environment.h"
#include "base/error.h"
#include "control/cgroup.h"

namespace ps {

CpuSet own_cpus() {
  CpuSet cpus;
  cpu_set_t* const mask = CPU_ALLOC(cpus.size());
  if (mask == nullptr) return cpus;
  const size_t bytes = CPU_ALLOC_SIZE(cpus.size());
  CPU_ZERO_S(bytes, mask);
  if (::sched_getaffinity(0, bytes, mask) == 0) {
    for (size_t cpu = 0; cpu < cpus.size(); ++cpu) cpus[cpu] = CPU_ISSET_S(cpu, bytes, mask);
  }
  CPU_FREE(mask);
  return cpus;
}

std::string describe(const CpuSet& cpus) {
  std::string text;
  for (size_t cpu = 0; cpu < cpus.size(); ++cpu) {
    if (!cpus[cpu]) continue;
    const size_t first = cpu;
    while (cpu + 1 < cpus.size() && cpus[cpu + 1]) ++cpu;
    text += fmt::format("{}{}", text.empty() ? "" : ",", first);
    if (cpu > first) text += fmt::format("-{}", cpu);
  }
  return text;
}

CpuSet parse_cpus(const std::string& list) {
  CpuSet cpus;
  for (size_t begin = 0; begin < list.size();) {
    const size_t end = std::min(list.find(',', begin), list.size());
    const std::string range = list.substr(begin, end - begin);
    const size_t dash = range.find('-');
    const auto first = parse_integer(range.substr(0, dash));
    const auto last = dash == std::string::npos ? first : parse_integer(range.substr(dash + 1));
    if (!first || !last || *first < 0 || *first > *last || *last >= static_cast<int64_t>(cpus.size())) {
      fail(PS_ERR_ARGUMENT, "\"{}\" in \"{}\" is no range of CPUs from 0 to {}", range, list, cpus.size() - 1);
    }
    for (int64_t cpu = *first; cpu <= *last; ++cpu) cpus.set(static_cast<size_t>(cpu));
    begin = end + 1;
  }
  return cpus;
}

int usable_cpus() {
  auto cpus = static_cast<double>(own_cpus().count());
  if (const CgroupLimit limit = cgroup_cpu_limit(); limit.value > 0) cpus = std::min(cpus, std::floor(limit.value));
  return std::max(static_cast<int>(cpus), 1);
}

bool crowded(std::span<const RanksOnCpus> host, double quota) {
  CpuSet all;
  int ranks = 0;
  for (const RanksOnCpus& bound : host) {
    all |= bound.cpus;
    ranks += bound.ranks;
  }
  if (quota > 0 && ranks > std::max(quota, 1.0)) return true;
  const auto overfull = [&](const CpuSet& within) {
    size_t inside = 0;
    for (const RanksOnCpus& bound : host) {
      if (bound.cpus.any() && (bound.cpus & ~within).none()) inside += static_cast<size_t>(bound.ranks);
    }
    return inside > within.count();
  };
  return overfull(all) || std::any_of(host.begin(), host.end(), [&](const RanksOnCpus& bound) { return overfull(bound.cpus); });
}

}  // namespace ps
