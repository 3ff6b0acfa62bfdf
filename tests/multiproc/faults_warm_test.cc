// Groups that were warmed up need nobody but their members any more. Where Gloo carries the data they would else
// connect at their first operation, by the store.
#include <gtest/gtest.h>

#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// Ranks 1 and 2 use a group of theirs for the first time after rank 0, which serves the store, has been killed.
const RankProgram kOutlivesTheStore("outlives_the_store", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  psGroup pair = nullptr;
  if (self.argument(0) == "group") {
    const int32_t members[] = {1, 2};
    psGroupOptions options = PS_GROUP_OPTIONS_INIT;
    options.flags = PS_WARM_UP;
    if (self.rank != 0) ok(psNewGroup(context, members, 2, &options, &pair));
  } else if (self.argument(0) == "split") {
    psGroupOptions options = PS_GROUP_OPTIONS_INIT;
    options.flags = PS_WARM_UP;
    ok(psSplitGroup(world, self.rank == 0 ? 0 : 1, 0, &options, &pair));
  } else {
    psModelParallelOptions options = PS_MODEL_PARALLEL_OPTIONS_INIT;
    options.flags = PS_WARM_UP;
    ok(psInitModelParallel(context, "mesh:dp=2,tp=2", &options));
    ok(psGetGroup(context, "tp", &pair));
  }
  const int others = self.size - 1;
  self.say("made");
  self.hear("go on");
  std::vector<int64_t> values(100'000, self.rank);
  ok(psAllReduce(pair, values.data(), values.data(), values.size(), PS_INT64, PS_SUM, nullptr, nullptr));
  must(values.back() == (others == 2 ? 1 + 2 : 2 + 3), "the sum is wrong");
  self.say("done");
  self.hear("end");
  Rank::vanish();
});

const RankProgram kServesTheStore("serves_the_store", [](const Rank& self) {
  psStoreOptions options = PS_STORE_OPTIONS_INIT;
  options.flags = PS_SERVE;
  psStore store = nullptr;
  ok(psStoreOpen(self.rendezvous.c_str(), &options, &store));
  self.say("serving");
  self.hear("end");
  Rank::vanish();
});

// A world whose store none of its members serves.
const RankProgram kWarmWorld("warm_world", [](const Rank& self) {
  psConfig config = self.config();
  config.flags |= PS_WARM_UP;
  psContext context = nullptr;
  ok(psInit(&config, &context));
  self.say("made");
  self.hear("go on");
  std::vector<int64_t> values(100'000, self.rank + 1);
  const psGroup world = self.world(context);
  ok(psAllReduce(world, values.data(), values.data(), values.size(), PS_INT64, PS_SUM, nullptr, nullptr));
  must(values.back() == 1 + 2 + 3, "the sum is wrong");
  self.say("done");
  self.hear("end");
  Rank::vanish();
});

// Rank 1 alone asks for it.
const RankProgram kHalfWarmWorld("half_warm_world", [](const Rank& self) {
  psConfig config = self.config();
  if (self.rank == 1) config.flags |= PS_WARM_UP;
  psContext context = nullptr;
  self.say_result("joined", psInit(&config, &context));
});

void expect_outlives(const std::string& way, int size, const std::vector<int>& users) {
  World world("outlives_the_store", size, {way});
  world.hear_all("made");
  world.kill(0);
  for (const int user : users) world.tell(user, "go on");
  for (const int user : users) world.hear(user, "done");
}

TEST(Warm, TheWorldOutlivesTheStore) {
  World world(3);
  const int store = world.start("serves_the_store", 0);
  world.hear(store, "serving");
  std::vector<int> members;
  for (int rank = 0; rank < 3; ++rank) members.push_back(world.start("warm_world", rank));
  for (const int member : members) world.hear(member, "made");
  world.kill(store);
  for (const int member : members) world.tell(member, "go on");
  for (const int member : members) world.hear(member, "done");
}

TEST(Warm, AllRanksWarmTheWorldOrNone) {
  World world("half_warm_world", 2);
  for (const Line& joined : world.hear_all("joined")) {
    EXPECT_EQ(joined.code(), "PS_ERR_MISMATCH");
    expect_contains(joined.text(), {"rank 1", "WARM_UP"});
  }
  world.end();
}

TEST(Warm, AGroupOutlivesTheStore) { expect_outlives("group", 3, {1, 2}); }

TEST(Warm, APartOfAGroupOutlivesTheStore) { expect_outlives("split", 3, {1, 2}); }

TEST(Warm, AGroupOfALayoutOutlivesTheStore) { expect_outlives("layout", 4, {2, 3}); }

}  // namespace
}  // namespace faults
