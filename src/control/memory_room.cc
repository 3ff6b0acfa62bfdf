#include "control/memory_room.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

#include "base/error.h"
#include "control/cgroup.h"

namespace ps {
namespace {

[[noreturn]] void fail_short(size_t bytes, const std::string& what, const std::string& why) {
  fail(PS_ERR_NO_MEMORY,
       "{} needs {} bytes of shared memory, but {}; ask for less, lower host_buffer_bytes (psConfig, psGroupOptions, "
       "PS_HOST_BUFFER_BYTES), use fewer or smaller groups, or raise the limit",
       what, bytes, why);
}

// "MemAvailable:   123 kB"
double meminfo_bytes(const std::string& wanted) {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double value = 0;
  for (std::string line; file >> key >> value && std::getline(file, line);) {
    if (key == wanted + ":") return value * 1024;
  }
  return 0;
}

// Why there is not that much, none where there is.
std::optional<std::string> shortage(size_t bytes) {
  const double swap = meminfo_bytes("SwapFree");
  const auto needed = static_cast<double>(bytes);
  const CgroupLimit limit = cgroup_memory_limit(swap);
  if (limit.value > 0 && needed > limit.value - limit.used + limit.swap) {
    return fmt::format("of the {:.0f} bytes that {} allows {:.0f} are left", limit.value, limit.file,
                       std::max(limit.value - limit.used, 0.0));
  }
  if (const double available = meminfo_bytes("MemAvailable"); available > 0 && needed > available + swap) {
    return fmt::format("the machine has {:.0f} bytes left", available);
  }
  return std::nullopt;
}

// Pages that the process has mapped: the first number of statm.
size_t mapped_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t pages = 0;
  file >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void require_memory(size_t bytes, const std::string& what) {
  if (const auto found = shortage(bytes)) fail_short(bytes, what, *found);
}

void fail_no_memory(size_t bytes, const std::string& what) {
  rlimit addresses{};
  ::getrlimit(RLIMIT_AS, &addresses);
  const size_t mapped = mapped_bytes();
  if (addresses.rlim_cur != RLIM_INFINITY && mapped + bytes > addresses.rlim_cur) {
    fail_short(bytes, what,
               fmt::format("of the {} bytes of addresses that this process may map (RLIMIT_AS, ulimit -v) {} are mapped",
                           addresses.rlim_cur, mapped));
  }
  require_memory(bytes, what);
  fail_short(bytes, what, "the kernel has none to give (no limit of this process or its control group explains it)");
}

}  // namespace ps
