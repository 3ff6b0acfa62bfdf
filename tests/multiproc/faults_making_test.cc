// A member that cannot make its part of a group after all have agreed on it: the others are told, in making the group
// or at the first call that needs that member, and do not wait for it until a deadline.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kSize = 4;

// Leaves this process one descriptor more: enough for its side of the agreement, too few for the memory that follows.
class OneDescriptorLeft {
 public:
  OneDescriptorLeft() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(STDIN_FILENO);
    ::close(next);
    const rlimit limit = {.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~OneDescriptorLeft() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

psResult make(const std::string& way, psContext context, psGroup world, psGroup* group) {
  const int32_t everyone[] = {0, 1, 2, 3};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;  // else it would share the world's, and need no memory
  if (way == "network") options.backend = "gloo";
  if (way == "group" || way == "network") return psNewGroup(context, everyone, kSize, &options, group);
  if (way == "split") return psSplitGroup(world, 0, 0, nullptr, group);
  const psResult result = psInitModelParallel(context, "sglang:tp=4", nullptr);
  return result != PS_OK ? result : psGetGroup(context, "tp", group);
}

const RankProgram kMaking("making", [](const Rank& self) {
  const std::string& way = self.argument(0);
  const bool is_victim = self.rank == self.number(1);
  psConfig config = self.config();
  config.backend = nullptr;
  psContext context = nullptr;
  ok(psInit(&config, &context));
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  psGroup group = nullptr;
  if (is_victim) {
    const OneDescriptorLeft limit;
    self.say_result("made", make(way, context, world, &group));
  } else {
    const psResult made = make(way, context, world, &group);
    self.say_result("made", made);
    if (made == PS_OK) self.say_result("used", psBarrier(group, nullptr));
  }
  self.hear("again");
  ok(psGroupFree(group));
  ok(psBarrier(world, nullptr));
  if (way == "layout") ok(psDestroyModelParallel(context));
  ok(make(way, context, world, &group));
  ok(psBarrier(group, nullptr));
  ok(psGroupFree(group));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

void expect_named(const std::string& way, int victim, const std::string& code) {
  SCOPED_TRACE(way + ", victim " + std::to_string(victim));
  World world("making", kSize, {way, std::to_string(victim)});
  const Line own = world.hear(victim, "made");
  EXPECT_EQ(own.code(), code) << own.text();
  for (int rank = 0; rank < kSize; ++rank) {
    if (rank == victim) continue;
    Line line = world.hear(rank, "made");
    const bool made = line.code() == "PS_OK";
    if (made) line = world.hear(rank, "used");
    // Who was to hand over the memory tells its reason itself.
    if (!made && victim == 0 && line.code() == own.code()) continue;
    EXPECT_EQ(line.code(), "PS_ERR_PEER_FAILED") << line.text();
    // A barrier may wait for one that has given up because of the victim.
    if (!made) expect_contains(line.text(), {world.name(victim)});
    expect_contains(line.text(), {"its own error says why"});
  }
  world.tell_all("again");
  world.end();
}

TEST(Making, AMemberThatCannotMakeItsPartIsNamed) {
  for (const std::string way : {"group", "split", "layout"}) {
    for (const int victim : {0, 1, 3}) expect_named(way, victim, "PS_ERR_SYSTEM");
  }
}

// Its side of the connections between hosts; in gloo.cmake.
TEST(MakingOverGloo, AMemberThatCannotMakeItsPartIsNamed) { expect_named("network", 1, "PS_ERR_BACKEND"); }

}  // namespace
}  // namespace faults
