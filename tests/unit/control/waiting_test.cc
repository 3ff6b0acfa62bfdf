// How a wait is divided: what is spun is what was asked for, and a crowded host only yields.
#include "control/waiting.h"

#include <gtest/gtest.h>

namespace ps {
namespace {

TEST(Waiting, PollsAFewMicrosecondsAndYieldsForTheRest) {
  const WaitPolicy policy = WaitPolicy::of(false);
  EXPECT_EQ(policy.spin_us, 40);
  EXPECT_EQ(policy.pauses, 100);
  EXPECT_EQ(policy.yields, 93);
  EXPECT_EQ(WaitPolicy{}.pauses, policy.pauses);
  EXPECT_EQ(WaitPolicy{}.yields, policy.yields);
  const WaitPolicy longer = WaitPolicy::of(false, 1000);
  EXPECT_EQ(longer.pauses, policy.pauses);
  EXPECT_GT(longer.yields, 2000);
  EXPECT_LT(WaitPolicy::of(false, 1).pauses, policy.pauses);
  EXPECT_EQ(WaitPolicy::of(false, 1).yields, 0);
}

TEST(Waiting, StartsAtYieldWhereCrowded) {
  const WaitPolicy policy = WaitPolicy::of(true);
  EXPECT_TRUE(policy.crowded);
  EXPECT_EQ(policy.pauses, 0);
  EXPECT_EQ(policy.yields, 100);
}

TEST(Waiting, ZeroMeansNoSpinning) {
  for (const bool crowded : {false, true}) {
    EXPECT_EQ(WaitPolicy::of(crowded, 0).pauses, 0);
    EXPECT_EQ(WaitPolicy::of(crowded, 0).yields, 0);
  }
}

}  // namespace
}  // namespace ps
