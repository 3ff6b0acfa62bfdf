#include "control/attempts.h"

#include <gtest/gtest.h>

namespace ps {
namespace {

TEST(AttemptsTest, OnlyTheAbandonedOnesAre) {
  Attempts attempts;
  const uint64_t first = attempts.begin();
  const uint64_t second = attempts.begin();
  attempts.abandon(first, false);
  EXPECT_TRUE(attempts.abandoned(first));
  EXPECT_FALSE(attempts.abandoned(second));
}

TEST(AttemptsTest, AnOldOneIsNotTakenForALaterOneInItsPlace) {
  Attempts attempts;
  const uint64_t old = attempts.begin();
  for (uint64_t i = 1; i < Attempts::kRemembered; ++i) attempts.begin();
  attempts.abandon(old, false);
  EXPECT_TRUE(attempts.abandoned(old));
  const uint64_t later = attempts.begin();
  EXPECT_FALSE(attempts.abandoned(later));
  attempts.abandon(later, true);
  EXPECT_TRUE(attempts.abandoned(later));
  EXPECT_FALSE(attempts.abandoned(old));
  EXPECT_TRUE(attempts.follows(later));
}

}  // namespace
}  // namespace ps
