#include "control/memory_room.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/error.h"
#include "base/text_file.h"
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
  TextFile file("/proc/meminfo");
  std::string key;
  double value = 0;
  for (std::string line; file >> key >> value && std::getline(file, line);) {
    if (key == wanted + ":") return value * 1024;
  }
  return 0;
}

// Pages that the process has mapped: the first number of statm.
size_t mapped_bytes() {
  TextFile file("/proc/self/statm");
  size_t pages = 0;
  file >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void require_memory(size_t bytes, const std::string& what) { require_memory(bytes, bytes, what); }

void require_memory(size_t in_group, size_t on_host, const std::string& what) {
  const double swap = meminfo_bytes("SwapFree");
  const CgroupLimit limit = cgroup_memory_limit(swap);
  if (limit.value > 0 && static_cast<double>(in_group) > limit.value - limit.used + limit.swap) {
    fail_short(in_group, what,
               fmt::format("of the {:.0f} bytes that {} allows {:.0f} are left", limit.value, limit.file,
                           std::max(limit.value - limit.used, 0.0)));
  }
  if (const double available = meminfo_bytes("MemAvailable");
      available > 0 && static_cast<double>(on_host) > available + swap) {
    fail_short(on_host, what, fmt::format("the machine has {:.0f} bytes left", available));
  }
}

// Paths do not tell groups apart: each container may see its own as the root. What the kernel keeps of the file does.
uint64_t memory_group() {
  const CgroupLimit limit = cgroup_memory_limit();
  struct stat file{};
  if (limit.value == 0 || ::stat(limit.file.c_str(), &file) != 0) return 0;
  return static_cast<uint64_t>(file.st_dev) << 40 ^ static_cast<uint64_t>(file.st_ino);
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
