// No polling at all: every wait goes to sleep at once, so that every wake-up is needed. More ranks than cores.
#include <gtest/gtest.h>

#include <vector>

#include "faults_mix.h"
#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

const RankProgram kSleepers("sleepers", [](const Rank& self) {
  const int64_t rounds = self.number(0);
  psConfig config = self.config();
  config.flags = 0;  // with the environment, which is where polling is turned off
  psContext context = nullptr;
  ok(psInit(&config, &context));
  const psGroup world = self.world(context);
  int64_t value = 0;
  for (int64_t i = 0; i < rounds; ++i) {
    value = i + self.rank;
    ok(psAllReduce(world, &value, &value, 1, PS_INT64, PS_SUM, nullptr, nullptr));
    must(value == i * self.size + self.size * (self.size - 1) / 2, "the sum is wrong");
  }
  // A token goes around the ring.
  for (int64_t i = 0; i < rounds; ++i) {
    if (self.rank == 0) ok(psSend(world, &i, 1, PS_INT64, PS_NEXT, 1, nullptr, nullptr));
    ok(psRecv(world, &value, 1, PS_INT64, PS_PREV, 1, nullptr, nullptr));
    must(value == i + (self.rank == 0 ? self.size - 1 : self.rank - 1), "the token is wrong");
    ++value;
    if (self.rank != 0) ok(psSend(world, &value, 1, PS_INT64, PS_NEXT, 1, nullptr, nullptr));
  }
  for (int64_t i = 0; i < rounds / 50; ++i) ok(run_mixed(world, 99, static_cast<uint64_t>(i)));
  ok(psGroupFree(world));
  ok(psFinalize(context));
  self.say("done");
});

// A lost wake-up costs a tick of 100 ms; this many of them would pass the test's deadline.
TEST(Wake, WithoutPolling) {
  World world("sleepers", 3, {"1500"}, {"PS_SPIN_US=0"});
  world.hear_all("done");
  world.end();
}

}  // namespace
}  // namespace faults
