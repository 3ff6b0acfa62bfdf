#include "control/waiting.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/environment.h"

namespace ps {
namespace {

// The quota of cgroup v2's cpu.max in whole CPUs, rounded up; 0 where there is none.
int cgroup_cpus() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/sys/fs/cgroup/cpu.max", "re"), std::fclose);
  long quota = 0;
  long period = 0;
  if (!file || std::fscanf(file.get(), "%ld %ld", &quota, &period) != 2 || quota <= 0 || period <= 0) return 0;
  return static_cast<int>((quota + period - 1) / period);
}

}  // namespace

int usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cpus = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  if (const int quota = cgroup_cpus(); quota > 0) cpus = std::min(cpus, quota);
  return std::max(cpus, 1);
}

WaitPolicy wait_policy(int local_ranks, bool use_environment) {
  WaitPolicy policy;
  if (local_ranks > usable_cpus()) policy.pauses = 4;
  if (!use_environment) return policy;
  if (const auto pauses = environment_integer("PS_SPIN_PAUSES", 0, 1'000'000)) policy.pauses = static_cast<int>(*pauses);
  if (const auto yields = environment_integer("PS_SPIN_YIELDS", 0, 1'000'000)) policy.yields = static_cast<int>(*yields);
  return policy;
}

}  // namespace ps
