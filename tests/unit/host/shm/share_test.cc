#include "host/shm/share.h"

#include <gtest/gtest.h>

namespace ps {
namespace {

// Of two sides that move bytes at these rates, what the first comes to have after some blocks.
double learned(double rate, double rate_of_other, uint64_t first) {
  uint64_t share = first;
  for (int block = 0; block < 100; ++block) {
    const auto own = static_cast<double>(share);
    share = next_share(share, own / rate > (static_cast<double>(kWholeShare) - own) / rate_of_other);
  }
  return static_cast<double>(share) / static_cast<double>(kWholeShare);
}

TEST(Share, FollowsTheRatesFromAnywhere) {
  for (const uint64_t first : {uint64_t{4}, kWholeShare / 2, kWholeShare * 7 / 8}) {
    SCOPED_TRACE(first);
    EXPECT_NEAR(learned(1, 1, first), 0.5, 0.04);
    EXPECT_NEAR(learned(2, 1, first), 2.0 / 3, 0.05);
    EXPECT_NEAR(learned(1, 3, first), 0.25, 0.03);
  }
}

TEST(Share, NeverEndsUpWithNothingOrAll) {
  for (const bool is_last : {true, false}) {
    uint64_t share = kWholeShare / 2;
    for (int block = 0; block < 1000; ++block) {
      share = next_share(share, is_last);
      ASSERT_GT(share, 0u);
      ASSERT_LT(share, kWholeShare);
    }
    // Back within some blocks, should the other side change.
    for (int block = 0; block < 200; ++block) share = next_share(share, !is_last);
    EXPECT_TRUE(is_last ? share > kWholeShare / 2 : share < kWholeShare / 2);
  }
}

// What a peer wrote is not taken on trust.
TEST(Share, OfAPeerThatClaimsMoreThanAllIsAll) {
  EXPECT_EQ(part_of(4096, UINT64_MAX), 4096u);
  EXPECT_LT(next_share(UINT64_MAX, false), kWholeShare);
  EXPECT_LT(next_share(UINT64_MAX, true), kWholeShare);
}

}  // namespace
}  // namespace ps
