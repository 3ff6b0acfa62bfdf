// Too little memory is an error that says how much is needed, what allows too little and what to lower; never a SIGBUS, and
// never the kernel's killing of a process. What needs no more memory goes on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <numeric>
#include <vector>

#include "control_group.h"
#include "world.h"

namespace ps_test {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr int kRanks = 4;
// host_buffer_bytes with which a group of that many ranks takes about 11 MiB, and with which it takes next to nothing.
constexpr uint64_t kMuch = 64 * kMiB;
constexpr uint64_t kLittle = 64 << 10;

psResult new_group(const Member& member, uint64_t host_buffer_bytes, psGroup* group) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "hungry";
  options.flags = PS_OWN_COMMUNICATOR;
  options.host_buffer_bytes = host_buffer_bytes;
  return psNewGroup(member.context, all.data(), all.size(), &options, group);
}

psResult all_reduce(psGroup group, std::vector<int32_t>& values) {
  return psAllReduce(group, values.data(), values.data(), values.size(), PS_INT32, PS_SUM, nullptr, nullptr);
}

void require_sums(const Member& member, psGroup group, size_t count) {
  std::vector<int32_t> values(count, member.rank + 1);
  require_ok(all_reduce(group, values));
  require(values == std::vector<int32_t>(count, member.size * (member.size + 1) / 2), "the sums are wrong");
}

void require_mentions(const char* what) {
  require(std::string(psLastError()).find(what) != std::string::npos, std::string(psLastError()) + " lacks " + what);
}

size_t mapped_bytes() {
  std::ifstream file("/proc/self/statm");
  size_t pages = 0;
  file >> pages;
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

const Body few_addresses("few_addresses", [](Member& member) {
  const rlimit limit{mapped_bytes() + 12 * kMiB, RLIM_INFINITY};
  require(::setrlimit(RLIMIT_AS, &limit) == 0, "setrlimit failed");
  psGroup group = nullptr;
  require_error(new_group(member, kMuch, &group), PS_ERR_NO_MEMORY, "RLIMIT_AS");
  // The text is that of the rank which makes the memory.
  require_mentions("group 'hungry' of 4 ranks with host_buffer_bytes 67108864: ");
  if (member.rank == 0) require_mentions(std::to_string(limit.rlim_cur).c_str());
  require_mentions("lower host_buffer_bytes");
  // Lowered, it works, and so does what was there before.
  require_ok(new_group(member, kLittle, &group));
  require_sums(member, group, 1 << 17);
  require_sums(member, member.world, 1 << 16);
  require_ok(psGroupFree(group));
});

TEST(MemoryLimit, OfAddressesIsNamed) { run_world(few_addresses, Ranks::kProcesses, kRanks); }

std::string limit_file(const std::string& path) {
  const std::string old = path + "/memory.limit_in_bytes";
  return ::access(old.c_str(), F_OK) == 0 ? old : path + "/memory.max";
}

void set_limit(const std::string& path, uint64_t bytes) {
  std::ofstream file(limit_file(path));
  file << bytes << std::flush;
  require(file.good(), "the limit cannot be set");
}

uint64_t used_bytes(const std::string& path) {
  const bool old = limit_file(path).ends_with("limit_in_bytes");
  std::ifstream file(path + (old ? "/memory.usage_in_bytes" : "/memory.current"));
  uint64_t bytes = 0;
  file >> bytes;
  return bytes;
}

const Body small_control_group("small_control_group", [](Member& member) {
  move_into(member.argument);
  if (member.rank == 0) set_limit(member.argument, 10 * kMiB);
  require_ok(psBarrier(member.world, nullptr));
  psGroup group = nullptr;
  require_error(new_group(member, kMuch, &group), PS_ERR_NO_MEMORY, limit_file(member.argument));
  require_mentions("group 'hungry' of 4 ranks with host_buffer_bytes 67108864 needs ");
  require_mentions(" of the 10485760 bytes that ");
  require_ok(new_group(member, kLittle, &group));
  require_sums(member, group, 1 << 17);
  require_ok(psGroupFree(group));
});

// What a group leaves until its first large collective may be gone by then.
void meet_the_limit_later(const Member& member, uint64_t left) {
  psGroup group = nullptr;
  require_ok(new_group(member, kMuch, &group));
  std::vector<int32_t> values(4 << 20, 1);
  require_sums(member, group, 64);
  if (member.rank == 0) set_limit(member.argument, used_bytes(member.argument) + left);
  require_ok(psBarrier(group, nullptr));
  require_error(all_reduce(group, values), PS_ERR_NO_MEMORY, "a large collective's ring");
  require_mentions(limit_file(member.argument).c_str());
  require_sums(member, member.world, 64);
  if (member.rank == 0) set_limit(member.argument, 512 * kMiB);
  require_ok(psBarrier(member.world, nullptr));
  psGroupFree(group);
}

const Body less_than_a_ring("less_than_a_ring", [](Member& member) {
  move_into(member.argument);
  meet_the_limit_later(member, kMiB);
  require_sums(member, member.world, 4 << 20);
});
// Two members take their rings of 2 MiB, mostly at the same time.
const Body less_than_all_rings("less_than_all_rings", [](Member& member) {
  move_into(member.argument);
  for (int round = 0; round < 5; ++round) meet_the_limit_later(member, 3 * kMiB);
});

void run_in_control_group(const Body& body, int ranks = kRanks) {
  const ControlGroup control_group("memory", {"memory.limit_in_bytes", "memory.max"});
  if (!control_group.exists()) GTEST_SKIP() << "no control group for memory can be made here (root and a writable one are needed)";
  run_world(body, Ranks::kProcesses, ranks, control_group.path());
}

TEST(MemoryLimit, OfAControlGroupIsNamed) { run_in_control_group(small_control_group); }
TEST(MemoryLimit, ThatIsMetLaterFailsTheGroupAlone) { run_in_control_group(less_than_a_ring); }
TEST(MemoryLimit, ThatIsMetByAllRingsFailsTheGroupAlone) { run_in_control_group(less_than_all_rings, 2); }

}  // namespace
}  // namespace ps_test
