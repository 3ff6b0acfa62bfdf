// Where a rank runs, read from made-up trees of /sys.
#include "control/cpu_place.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace ps {
namespace {

namespace fs = std::filesystem;

// Two nodes of two third-level caches each, two CPUs to a cache.
class CpuPlaces : public testing::Test {
 protected:
  CpuPlaces() {
    std::string name = testing::TempDir() + "cpu_place_XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) root_ = name;
    for (int cpu = 0; cpu < 8; ++cpu) {
      const std::string cache = "cpu/cpu" + std::to_string(cpu) + "/cache/";
      write(cache + "index0/level", "1");
      write(cache + "index0/shared_cpu_list", std::to_string(cpu));
      write(cache + "index3/level", "3");
      write(cache + "index3/shared_cpu_list", std::to_string(cpu / 2 * 2) + "-" + std::to_string(cpu / 2 * 2 + 1));
    }
    write("node/node0/cpulist", "0-3");
    write("node/node1/cpulist", "4-7");
    write("node/online", "0-1");
  }
  ~CpuPlaces() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& line) const {
    const fs::path path = root_ / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << line << "\n";
  }
  void remove(const std::string& file) const { fs::remove_all(root_ / file); }
  std::string find(const char* cpus) const { return describe(find_place(parse_cpus(cpus), root_.string())); }

  fs::path root_;
};

TEST_F(CpuPlaces, OfOneCpuAndOfThoseThatShareACache) {
  EXPECT_EQ(find("0"), "0.0");
  EXPECT_EQ(find("3"), "0.2");
  EXPECT_EQ(find("6-7"), "1.6");
}

TEST_F(CpuPlaces, KnownAsFarAsAllCpusLieInOne) {
  EXPECT_EQ(find("1-2"), "0");
  EXPECT_EQ(find("4-7"), "1");
  EXPECT_EQ(find("0,7"), "none");
  EXPECT_EQ(find(""), "none");
}

TEST_F(CpuPlaces, WhatTheKernelDoesNotShowIsUnknown) {
  remove("node");
  EXPECT_EQ(find("4-5"), ".4");
  remove("cpu/cpu4/cache/index3");
  EXPECT_EQ(find("4-5"), "none");
  remove("cpu");
  EXPECT_EQ(find("6"), "none");
  EXPECT_EQ(describe(find_place(parse_cpus("0"), (root_ / "nowhere").string())), "none");
}

TEST_F(CpuPlaces, WhatCannotBeReadIsUnknown) {
  write("node/node0/cpulist", "everywhere");
  write("node/nodes/cpulist", "0-7");
  write("cpu/cpu0/cache/index3/shared_cpu_list", "");
  EXPECT_EQ(find("0"), "none");
}

TEST(CpuPlace, IsWrittenAndRead) {
  for (const char* text : {"0.0", "1.8", "12", ".5", "none"}) EXPECT_EQ(describe(parse_place(text, "PS_DOMAIN")), text);
  for (const char* text : {"", "a", "-1", "1.", ".", "1.2.3", "1:2", "70000"}) {
    try {
      parse_place(text, "PS_DOMAIN");
      ADD_FAILURE() << text << " was not refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
      EXPECT_TRUE(error.text().starts_with("PS_DOMAIN=\"" + std::string(text) + "\" is no place")) << error.text();
    }
  }
}

TEST(CpuPlace, OwnOneCanBeAskedFor) { EXPECT_NO_THROW(find_place(own_cpus())); }

}  // namespace
}  // namespace ps
