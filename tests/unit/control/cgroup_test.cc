// Limits of control groups on trees of files as they are found: version 2 with and without a namespace, version 1, both.
#include "control/cgroup.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "../../scratch_folder.h"

namespace ps {
namespace {

constexpr const char* kVersion2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

class Tree : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& text) const {
    const std::filesystem::path whole = root_ + path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole) << text;
  }
  double cpus() const { return cgroup_cpu_limit(root_).value; }
  double bytes() const { return cgroup_memory_limit(0, root_).value; }
  double swap(double free_swap) const { return cgroup_memory_limit(free_swap, root_).swap; }

  const ps_test::ScratchFolder folder_{"cgroup"};
  const std::string root_ = folder_.path();
};

TEST_F(Tree, NothingToReadIsNoLimit) {
  EXPECT_EQ(cpus(), 0);
  EXPECT_EQ(bytes(), 0);
  file("/proc/self/mountinfo", "nonsense\n1 2 - \n");
  file("/proc/self/cgroup", "nonsense\n");
  EXPECT_EQ(cpus(), 0);
}

TEST_F(Tree, Version2CountsEveryGroupAbove) {
  file("/proc/self/mountinfo", fmt::format("22 1 8:1 / / rw - ext4 /dev/root rw\n{}", kVersion2));
  file("/proc/self/cgroup", "0::/machine.slice/job/step\n");
  file("/sys/fs/cgroup/machine.slice/job/step/cpu.max", "max 100000\n");
  file("/sys/fs/cgroup/machine.slice/job/cpu.max", "250000 100000\n");
  file("/sys/fs/cgroup/machine.slice/cpu.max", "800000 100000\n");
  file("/sys/fs/cgroup/machine.slice/job/step/memory.max", "1073741824\n");
  file("/sys/fs/cgroup/machine.slice/job/memory.max", "max\n");
  EXPECT_EQ(cpus(), 2.5);
  EXPECT_EQ(bytes(), 1073741824);
  EXPECT_EQ(cgroup_memory_limit(0, root_).file, root_ + "/sys/fs/cgroup/machine.slice/job/step/memory.max");
}

TEST_F(Tree, WhatIsLeftDecidesAndCachedFilesCountAsLeft) {
  file("/proc/self/mountinfo", kVersion2);
  file("/proc/self/cgroup", "0::/outer/inner\n");
  file("/sys/fs/cgroup/outer/memory.max", "3000000\n");
  file("/sys/fs/cgroup/outer/memory.current", "2900000\n");
  file("/sys/fs/cgroup/outer/memory.stat", "anon 2000000\ninactive_file 300000\nactive_file 100000\nshmem 500000\n");
  file("/sys/fs/cgroup/outer/inner/memory.max", "2000000\n");
  file("/sys/fs/cgroup/outer/inner/memory.current", "100000\n");
  const CgroupLimit limit = cgroup_memory_limit(0, root_);
  EXPECT_EQ(limit.value, 3000000);
  EXPECT_EQ(limit.used, 2500000);
}

// Swap of the machine is room only as far as every group above allows some.
TEST_F(Tree, Version2AllowsSwapByItself) {
  file("/proc/self/mountinfo", kVersion2);
  file("/proc/self/cgroup", "0::/outer/inner\n");
  file("/sys/fs/cgroup/outer/inner/memory.max", "2000000\n");
  EXPECT_EQ(swap(900), 900);
  file("/sys/fs/cgroup/outer/inner/memory.swap.max", "max\n");
  EXPECT_EQ(swap(900), 900);
  file("/sys/fs/cgroup/outer/inner/memory.swap.max", "1000\n");
  file("/sys/fs/cgroup/outer/inner/memory.swap.current", "300\n");
  EXPECT_EQ(swap(900), 700);
  EXPECT_EQ(swap(500), 500);
  file("/sys/fs/cgroup/outer/memory.swap.max", "0\n");
  EXPECT_EQ(swap(900), 0);
}

// It limits memory and swap together, besides.
TEST_F(Tree, Version1AllowsSwapWithMemory) {
  file("/proc/self/mountinfo", "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
  file("/proc/self/cgroup", "4:memory:/job\n");
  file("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "2000\n");
  file("/sys/fs/cgroup/memory/job/memory.usage_in_bytes", "1500\n");
  EXPECT_EQ(swap(900), 900);
  file("/sys/fs/cgroup/memory/job/memory.memsw.limit_in_bytes", "3000\n");
  file("/sys/fs/cgroup/memory/job/memory.memsw.usage_in_bytes", "2300\n");
  const CgroupLimit limit = cgroup_memory_limit(900, root_);
  EXPECT_EQ(limit.value - limit.used + limit.swap, 700);
  EXPECT_TRUE(limit.file.ends_with("memory.memsw.limit_in_bytes"));
}

TEST_F(Tree, Version2InAContainerIsTheMountItself) {
  file("/proc/self/mountinfo", kVersion2);
  file("/proc/self/cgroup", "0::/\n");
  file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  file("/sys/fs/cgroup/memory.max", "67108864\n");
  EXPECT_EQ(cpus(), 0.5);
  EXPECT_EQ(bytes(), 67108864);
  // Moved out of the part that is visible.
  file("/proc/self/cgroup", "0::/../other\n");
  EXPECT_EQ(cpus(), 0.5);
}

TEST_F(Tree, Version1HasAMountForEachController) {
  file("/proc/self/mountinfo",
       "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
       "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
       "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  file("/proc/self/cgroup", "9:name=systemd:/\n4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n");
  file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  file("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  file("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "300000\n");
  file("/sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(cpus(), 3);
  EXPECT_EQ(bytes(), 0);
  file("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "33554432\n");
  EXPECT_EQ(bytes(), 33554432);
}

TEST_F(Tree, Version1InAContainerHasARootInItsMount) {
  file("/proc/self/mountinfo", "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  file("/proc/self/cgroup", "1:cpu:/docker/abc/inner\n");
  file("/sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "-1\n");
  file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
  file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpus(), 1.5);
}

}  // namespace
}  // namespace ps
