#include "group/library_info.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/descriptor.h"
#include "base/environment.h"
#include "base/error.h"
#include "control/cgroup.h"
#include "control/cpus.h"
#include "control/guardian.h"
#include "group/dispatch_json.h"
#include "host/copy/copy.h"
#include "host/net/module.h"
#include "host/reduce/reduce.h"

namespace ps {
namespace {

using nlohmann::json;

json limit(const CgroupLimit& found) { return found.value > 0 ? json(found.value) : json(nullptr); }

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

json cpu_features() {
  json features = json::array();
#if defined(__x86_64__)
  __builtin_cpu_init();
  const auto add = [&](bool present, const char* name) {
    if (present) features.push_back(name);
  };
  add(__builtin_cpu_supports("avx"), "avx");
  add(__builtin_cpu_supports("avx2"), "avx2");
  add(__builtin_cpu_supports("fma"), "fma");
  add(__builtin_cpu_supports("avx512f"), "avx512f");
  add(__builtin_cpu_supports("avx512bw"), "avx512bw");
  add(__builtin_cpu_supports("avx512vl"), "avx512vl");
#endif
  return features;
}

bool has_memfd_seals() {
  const Descriptor memfd(::memfd_create("parallelstate-probe", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  return memfd && ::fcntl(memfd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
}

json limits() {
  rlimit descriptors{};
  ::getrlimit(RLIMIT_NOFILE, &descriptors);
  struct sysinfo memory {};
  ::sysinfo(&memory);
  return {{"descriptors", descriptors.rlim_cur},
          {"memory_bytes", uint64_t{memory.totalram} * memory.mem_unit},
          {"cgroup_memory_bytes", limit(cgroup_memory_limit())},
          {"cgroup_cpus", limit(cgroup_cpu_limit())}};
}

json gloo() {
  try {
    const TransportModule& module = find_transport("gloo");
    return {{"name", "gloo"}, {"available", true}, {"reason", ""}, {"path", module.path}, {"version", module.version}};
  } catch (const Error& error) {
    return {{"name", "gloo"}, {"available", false}, {"reason", error.text()}};
  }
}

const char* sanitizer() {
#if defined(__SANITIZE_THREAD__)
  return "thread";
#elif defined(__SANITIZE_ADDRESS__)
  return "address";
#else
  return "none";
#endif
}

}  // namespace

std::string library_info() {
  utsname kernel{};
  ::uname(&kernel);
  json info;
  info["version"] = fmt::format("{}.{}.{}", PS_VERSION_MAJOR, PS_VERSION_MINOR, PS_VERSION_PATCH);
  info["compiler"] = __VERSION__;
#ifdef NDEBUG
  info["assertions"] = false;
#else
  info["assertions"] = true;
#endif
  info["sanitizer"] = sanitizer();
  info["cpu"] = {{"model", cpu_model()},
                 {"cores", ::sysconf(_SC_NPROCESSORS_ONLN)},
                 {"usable_cores", usable_cpus()},
                 {"features", cpu_features()},
                 {"reduce_target", reduce_target()},
                 {"copy",
                  {{"staged", chosen_copy(CopyTarget::kShared)},
                   {"output", chosen_copy(CopyTarget::kOutput)},
                   {"large_output", chosen_copy(CopyTarget::kLargeOutput)}}}};
  info["kernel"] = {{"release", kernel.release},
                    {"futex_waitv", Guardian::has_futex_waitv()},
                    {"memfd_seals", has_memfd_seals()}};
  info["limits"] = limits();
  info["backends"] = {
      {{"name", "shm"}, {"available", has_memfd_seals()}, {"reason", has_memfd_seals() ? "" : "memfd_create with seals fails here"}},
      gloo(),
      {{"name", "nccl"}, {"available", false}, {"reason", "not in this build: host memory only"}}};
  info["dispatch"] = dispatch_json(Dispatch(environment("PS_DISPATCH").value_or(""), "PS_DISPATCH").rows());
  return info.dump();
}

}  // namespace ps
