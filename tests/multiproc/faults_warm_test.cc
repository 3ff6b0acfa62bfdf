// Groups that were warmed up need nobody but their members any more.
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

void expect_outlives(const std::string& way, int size, const std::vector<int>& users) {
  World world("outlives_the_store", size, {way});
  world.hear_all("made");
  world.kill(0);
  for (const int user : users) world.tell(user, "go on");
  for (const int user : users) world.hear(user, "done");
}

TEST(Warm, AGroupOutlivesTheStore) { expect_outlives("group", 3, {1, 2}); }

TEST(Warm, APartOfAGroupOutlivesTheStore) { expect_outlives("split", 3, {1, 2}); }

TEST(Warm, AGroupOfALayoutOutlivesTheStore) { expect_outlives("layout", 4, {2, 3}); }

}  // namespace
}  // namespace faults
