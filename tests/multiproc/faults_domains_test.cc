// A rank that dies while small calls go through a tree: the tree's root, a leader of several blocks, of one, or a rank that
// leads nobody. Every survivor gets its name, also those who wait for somebody between.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <iterator>

#include "faults_mix.h"
#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// "(((0 5) (1 7 8)) ((2 3) 4) (6 9))"
constexpr const char* kPlaces[] = {"0.0", "0.4", "1.8", "1.8", "1.12", "0.0", "none", "0.4", "0.4", "none"};
constexpr int kRanks = std::size(kPlaces);

enum Moment { kWhileOthersWait, kAfterACall, kMoments };

psContext join_at_place(const Rank& self) {
  ::setenv("PS_DOMAIN", kPlaces[self.rank], 1);
  psConfig config = self.config();
  config.flags = 0;
  config.dispatch = "*=tree";
  psContext context = nullptr;
  ok(psInit(&config, &context));
  return context;
}

const RankProgram kVictim("victim_in_a_tree", [](const Rank& self) {
  const int victim = static_cast<int>(self.number(0));
  const auto moment = static_cast<Moment>(self.number(1));
  const auto last = static_cast<uint64_t>(self.number(2));
  psContext context = join_at_place(self);
  const psGroup world = self.world(context);
  psResult result = PS_OK;
  for (uint64_t step = 0; result == PS_OK; ++step) {
    if (self.rank == victim && step == last && moment == kWhileOthersWait) {
      self.say("waiting");
      self.hear("never");
    }
    result = run_mixed(world, 5, step);
    if (self.rank == victim && step == last && moment == kAfterACall) ::kill(::getpid(), SIGKILL);
  }
  self.say_result("error", result);
  self.say_result("again", psBarrier(world, nullptr));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Domains, WhoeverDiesIsNamedByAll) {
  for (const int victim : {0, 1, 2, 3, 4, 6, 8, 9}) {
    for (int moment = 0; moment < kMoments; ++moment) {
      SCOPED_TRACE("rank " + std::to_string(victim) + " dies" + (moment == kAfterACall ? " after a call" : " while others wait"));
      World world("victim_in_a_tree", kRanks, {std::to_string(victim), std::to_string(moment), std::to_string(victim + 5)});
      if (moment == kWhileOthersWait) {
        world.hear(victim, "waiting");
        world.kill(victim);
      } else {
        world.wait(victim);
      }
      for (int rank = 0; rank < kRanks; ++rank) {
        if (rank == victim) continue;
        for (const char* label : {"error", "again"}) {
          const Line error = world.hear(rank, label);
          EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
          expect_contains(error.text(), {world.name(victim), "ended without psFinalize"});
        }
      }
      world.end(victim == 0 ? std::set<std::string>{"meet"} : std::set<std::string>{});
    }
  }
}

// One that leaves in order is missed by those it leads and those it answers to, and named by all.
const RankProgram kLeaver("leaver_in_a_tree", [](const Rank& self) {
  psContext context = join_at_place(self);
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  self.say("ready");
  if (self.rank == static_cast<int>(self.number(0))) {
    // Who misses it in the next call would fail those who are still in this one.
    self.hear("leave");
    ok(psGroupFree(world));
    ok(psFinalize(context));
    return;
  }
  self.say_result("error", psBarrier(world, nullptr));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Domains, WhoLeavesIsNamedByAll) {
  for (const int leaver : {1, 2, 8}) {
    World world("leaver_in_a_tree", kRanks, {std::to_string(leaver)});
    world.hear_all("ready");
    world.tell(leaver, "leave");
    for (int rank = 0; rank < kRanks; ++rank) {
      if (rank == leaver) continue;
      const Line error = world.hear(rank, "error");
      EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
      expect_contains(error.text(), {world.name(leaver)});
    }
    world.end();
  }
}

}  // namespace
}  // namespace faults
