// What goes wrong between hosts, in worlds whose processes say that they are on different ones: their data and what they
// tell each other go over Gloo's connections, and whom no connection reaches is told by the store.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// `hosts`: a letter for each rank.
psContext join_on_host(const Rank& self, const std::string& hosts) {
  ::setenv("PS_HOST_ID", hosts.substr(static_cast<size_t>(self.rank), 1).c_str(), 1);
  psConfig config = self.config();
  config.flags = PS_HOST_ONLY;
  config.backend = nullptr;
  psContext context = nullptr;
  ok(psInit(&config, &context));
  return context;
}

psResult sum_one(psGroup group, int32_t& value) {
  value = 1;
  return psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr);
}

void finish(psContext context, std::vector<psGroup> groups) {
  for (psGroup group : groups) ok(psGroupFree(group));
  ok(psFinalize(context));
}

// So late that the others have turned to all members, and would have found somebody lost.
constexpr std::chrono::milliseconds kLate{1800};

// Rank 0 serves the store and dies. The others have every connection that their sums need, and one of them comes late.
const RankProgram kStoreIsGone("late_without_a_store", [](const Rank& self) {
  psContext context = join_on_host(self, "aabb");
  const int32_t members[] = {1, 2, 3};
  psGroup group = nullptr;
  int32_t value = 0;
  if (self.rank > 0) {
    ok(psNewGroup(context, members, 3, nullptr, &group));
    ok(sum_one(group, value));
  }
  self.say("ready");
  self.hear("go");
  if (self.rank == 3) std::this_thread::sleep_for(kLate);
  ok(sum_one(group, value));
  must(value == 3, "the sum is wrong");
  self.say("done");
  Rank::vanish();
});

TEST(Hosts, GoOnWithoutTheStoreThoughOneIsLate) {
  World world("late_without_a_store", 4);
  world.hear_all("ready");
  world.kill(0);
  for (const int rank : {1, 2, 3}) world.tell(rank, "go");
  for (const int rank : {1, 2, 3}) world.hear(rank, "done");
}

}  // namespace
}  // namespace faults
