// The fixture itself: what goes wrong on a rank is seen, ends the others, and nothing hangs.
#include "world.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <signal.h>

namespace ps_test {
namespace {

constexpr std::chrono::seconds kShort{3};

const Body one_fails("one_fails", [](Member& member) {
  require(member.rank != 1, "found wrong on purpose");
  psBarrier(member.world, nullptr);
  require_ok(psBarrier(member.world, nullptr));
});

const Body one_crashes("one_crashes", [](Member& member) {
  if (member.rank == 1) ::raise(SIGKILL);
  psBarrier(member.world, nullptr);
});

const Body one_hangs("one_hangs", [](Member& member) {
  if (member.rank == 0) require_ok(psRecv(member.world, nullptr, 0, PS_INT8, 1, 0, nullptr, nullptr));
  psBarrier(member.world, nullptr);
});

const Body all_is_well("all_is_well", [](Member& member) { require_ok(psBarrier(member.world, nullptr)); });

TEST(World, AFailureOnAThreadEndsTheWorld) {
  EXPECT_NONFATAL_FAILURE(run_world(one_fails, Ranks::kThreads, 3), "found wrong on purpose");
}
TEST(World, AFailureOfAProcessEndsTheWorld) {
  EXPECT_NONFATAL_FAILURE(run_world(one_fails, Ranks::kProcesses, 3), "found wrong on purpose");
}
TEST(World, ACrashEndsTheWorld) {
  EXPECT_NONFATAL_FAILURE(run_world(one_crashes, Ranks::kProcesses, 3), "killed by Killed");
}
TEST(World, ADeadlineEndsThreads) {
  EXPECT_NONFATAL_FAILURE(run_world(one_hangs, Ranks::kThreads, 3, "", kShort), "did not end within");
}
TEST(World, ADeadlineEndsProcesses) {
  EXPECT_NONFATAL_FAILURE(run_world(one_hangs, Ranks::kProcesses, 3, "", kShort), "killed were the ranks 0 1 2");
}
TEST(World, ASoundWorldPasses) {
  run_world(all_is_well, Ranks::kThreads, 3);
  run_world(all_is_well, Ranks::kProcesses, 3);
}

}  // namespace
}  // namespace ps_test
