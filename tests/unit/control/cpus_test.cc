// When ranks are more than the CPUs that they may use.
#include "control/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>

#include "base/error.h"

namespace ps {
namespace {

TEST(Cpus, ListsAreReadAndWritten) {
  for (const char* list : {"", "0", "0-3", "1,3", "0-1,4,6-8191"}) EXPECT_EQ(describe(parse_cpus(list)), list);
  EXPECT_EQ(parse_cpus("0-2,2-4").count(), 5U);
  for (const char* list : {"a", "3-1", "-1", "1-", "8192", "1,,2"}) EXPECT_THROW(parse_cpus(list), Error) << list;
}

TEST(Cpus, OwnMaskIsTheThreads) {
  const CpuSet before = own_cpus();
  ASSERT_TRUE(before.any());
  cpu_set_t saved;
  ASSERT_EQ(::sched_getaffinity(0, sizeof saved, &saved), 0);
  size_t first = 0;
  while (!before[first]) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(describe(own_cpus()), std::to_string(first));
  EXPECT_EQ(usable_cpus(), 1);
  ASSERT_EQ(::sched_setaffinity(0, sizeof saved, &saved), 0);
  EXPECT_EQ(own_cpus(), before);
}

bool crowded_on(std::initializer_list<std::pair<const char*, int>> ranks, double quota = 0) {
  std::vector<RanksOnCpus> host;
  for (const auto& [cpus, count] : ranks) host.push_back({parse_cpus(cpus), count});
  return crowded(host, quota);
}

TEST(Crowded, MoreRanksThanCpus) {
  EXPECT_FALSE(crowded_on({{"0-3", 4}}));
  EXPECT_TRUE(crowded_on({{"0-3", 5}}));
}

TEST(Crowded, RanksWithACpuEachAreNot) {
  EXPECT_FALSE(crowded_on({{"0", 1}, {"1", 1}, {"2", 1}}));
  EXPECT_TRUE(crowded_on({{"0", 2}, {"1", 1}, {"2", 1}}));
  EXPECT_TRUE(crowded_on({{"0", 1}, {"1", 1}, {"0-1", 1}}));
  EXPECT_TRUE(crowded_on({{"0-1", 2}, {"1", 1}, {"0-7", 1}}));
}

TEST(Crowded, AQuotaCountsTheHostsRanks) {
  EXPECT_FALSE(crowded_on({{"0-63", 2}}, 2));
  EXPECT_TRUE(crowded_on({{"0-63", 2}}, 1.5));
  EXPECT_FALSE(crowded_on({{"0-63", 1}}, 0.5));
  EXPECT_TRUE(crowded_on({{"0", 1}, {"1", 1}}, 1));
}

TEST(Crowded, UnknownMasksSayNothing) {
  EXPECT_FALSE(crowded_on({{"", 8}}));
  EXPECT_TRUE(crowded_on({{"", 8}}, 4));
}

}  // namespace
}  // namespace ps
