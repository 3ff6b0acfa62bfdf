// Ranks that stop, leave, end or never come: four situations, four texts. And what was sent before leaving arrives.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr size_t kLarge = 300'000;

// Of a test of what a group says of a rank's heart, which on a loaded machine may be heard late.
constexpr int kAttempts = 3;

void finish(psContext context, psGroup group) {
  ok(psGroupFree(group));
  ok(psFinalize(context));
}

// Rank 1 does as its argument says; the others call a barrier (or receive from it) with a deadline.
const RankProgram kMissing("missing_rank", [](const Rank& self) {
  const std::string& way = self.argument(0);
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<float> data(4, 1.0F);
  ok(psAllReduce(world, data.data(), data.data(), data.size(), PS_FLOAT32, PS_SUM, nullptr, nullptr));
  if (self.rank == 1) {
    self.say("ready");
    self.hear("go");
    if (way == "finalize") return finish(context, world);
    if (way == "exit") ::exit(0);
    self.hear("never" + std::string(way == "stop" ? "" : " mind"));
    psResult late = psBarrier(world, nullptr);
    // Over a network what the others sent before they gave up may be here before the failure, and is all that this takes.
    if (late == PS_OK && ::getenv("PS_TEST_BACKEND") != nullptr) late = psBarrier(world, nullptr);
    self.say_result("late", late);
    return finish(context, world);
  }
  if (way == "stop" || way == "stay") ok(psGroupSetTimeout(world, way == "stop" ? 6000 : 400));
  self.say("ready");
  self.hear("go");
  if (way == "stop") {
    psRankInfo info = PS_RANK_INFO_INIT;
    while (ok(psGetRankInfo(context, 1, &info)), info.state != PS_RANK_SILENT) ::usleep(1000);
    self.say("silent");
    self.hear("call");
  }
  const psResult result = self.argument(1) == "recv" ? psRecv(world, data.data(), 4, PS_FLOAT32, 1, 7, nullptr, nullptr)
                                                     : psBarrier(world, nullptr);
  self.say_result("error", result);
  const std::string text = psLastError();
  must(psBarrier(world, nullptr) == result, "the next call gives another error");
  psGroupInfo info = PS_GROUP_INFO_INIT;
  ok(psGetGroupInfo(world, &info));
  must(info.failure == result && info.failed_global_rank == 1, "psGroupInfo does not blame rank 1: " + text);
  self.hear("end");
  finish(context, world);
});

class MissingRank {
 public:
  MissingRank(const std::string& way, const std::string& call) : world_("missing_rank", 3, {way, call}) {
    world_.hear_all("ready");
  }
  // The texts that ranks 0 and 2 get.
  std::vector<Line> errors() {
    std::vector<Line> lines;
    for (const int rank : {0, 2}) lines.push_back(world_.hear(rank, "error"));
    return lines;
  }
  World& world() { return world_; }
  void go_others() {
    for (const int rank : {0, 2}) world_.tell(rank, "go");
  }
  void end_others() {
    for (const int rank : {0, 2}) world_.tell(rank, "end");
  }

 private:
  World world_;
};

// Whether `error` says of this rank that it never arrived, or else that it is stopped: it must say one of them.
bool says_never_arrived(const Line& error, const std::string& name) {
  EXPECT_EQ(error.code(), "PS_ERR_TIMEOUT");
  const bool never_arrived = error.text().find(name + " never arrived") != std::string::npos;
  if (!never_arrived) expect_contains(error.text(), {name + " is stopped (no heartbeat for "});
  return never_arrived;
}

TEST(Leaving, StoppedPastTheDeadline) {
  bool is_called_stopped = false;
  for (int attempt = 0; attempt < kAttempts && !is_called_stopped; ++attempt) {
    MissingRank missing("stop", "barrier");
    World& world = missing.world();
    world.tell(1, "go");
    world.signal(1, SIGSTOP);
    missing.go_others();
    for (const int rank : {0, 2}) world.hear(rank, "silent");
    for (const int rank : {0, 2}) world.tell(rank, "call");
    is_called_stopped = true;
    for (const Line& error : missing.errors()) {
      // Who was kept from listening counts the silence anew.
      if (says_never_arrived(error, world.name(1))) is_called_stopped = false;
      expect_contains(error.text(),
                      {"psBarrier", "barrier() #2 on group 'world'",
                       "its last call was all_reduce(count 4, float32, sum) #1 on group 'world'", "arrived: 0, 2"});
    }
    world.signal(1, SIGCONT);
    world.tell(1, "never");
    const Line late = world.hear(1, "late");
    EXPECT_EQ(late.code(), "PS_ERR_TIMEOUT");
    if (is_called_stopped) expect_contains(late.text(), {"is stopped"});
    missing.end_others();
    world.end();
  }
  EXPECT_TRUE(is_called_stopped);
}

TEST(Leaving, NeverArrived) {
  bool is_called_absent = false;
  for (int attempt = 0; attempt < kAttempts && !is_called_absent; ++attempt) {
    for (const char* call : {"barrier", "recv"}) {
      MissingRank missing("stay", call);
      missing.world().tell(1, "go");
      missing.go_others();
      for (const Line& error : missing.errors()) {
        // A rank without CPU time is no different from a stopped one.
        if (says_never_arrived(error, missing.world().name(1))) is_called_absent = true;
        expect_contains(error.text(), {"its last call was all_reduce(count 4, float32, sum) #1 on group 'world'"});
      }
      missing.world().tell(1, "never mind");
      EXPECT_EQ(missing.world().hear(1, "late").code(), "PS_ERR_TIMEOUT");
      missing.end_others();
      missing.world().end();
    }
  }
  EXPECT_TRUE(is_called_absent);
}

TEST(Leaving, ByFinalize) {
  for (const char* call : {"barrier", "recv"}) {
    MissingRank missing("finalize", call);
    missing.go_others();
    missing.world().tell(1, "go");
    for (const Line& error : missing.errors()) {
      EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
      expect_contains(error.text(), {missing.world().name(1) + " left by psFinalize", "group 'world'"});
    }
    missing.end_others();
    missing.world().end();
  }
}

TEST(Leaving, ByExitWithoutFinalize) {
  for (const char* call : {"barrier", "recv"}) {
    MissingRank missing("exit", call);
    missing.go_others();
    missing.world().tell(1, "go");
    for (const Line& error : missing.errors()) {
      EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
      expect_contains(error.text(), {missing.world().name(1) + " ended without psFinalize",
                                     "its last call was all_reduce(count 4, float32, sum) #1 on group 'world'"});
    }
    missing.end_others();
    missing.world().end();
  }
}

// Rank 0 contributes, sends, broadcasts, then leaves; the others call only after it has gone.
const RankProgram kDelivered("delivered", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<int32_t> small(8, 11);
  std::vector<int32_t> large(kLarge, 12);
  std::vector<int32_t> gathered(8 * static_cast<size_t>(self.size));
  if (self.rank == 0) {
    // Eager messages and a contribution that nobody has read yet.
    ok(psSend(world, small.data(), small.size(), PS_INT32, 1, 1, nullptr, nullptr));
    ok(psSend(world, large.data(), 1024, PS_INT32, 1, 2, nullptr, nullptr));
    // The receive of this one is posted before the others are let go.
    ok(psSend(world, large.data(), large.size(), PS_INT32, 2, 3, nullptr, nullptr));
    ok(psGather(world, small.data(), nullptr, small.size(), PS_INT32, 1, nullptr, nullptr));
    ok(psBroadcast(world, small.data(), small.data(), small.size(), PS_INT32, 0, nullptr, nullptr));
    ok(psGroupFree(world));
    ok(psFinalize(context));
    return;
  }
  if (self.rank == 2) {
    std::vector<int32_t> got(kLarge);
    ok(psRecv(world, got.data(), got.size(), PS_INT32, 0, 3, nullptr, nullptr));
    must(got == large, "the large message is damaged");
  }
  self.say("ready");
  self.hear("gone");
  if (self.rank == 1) {
    std::vector<int32_t> got(8);
    std::vector<int32_t> middle(1024);
    ok(psRecv(world, middle.data(), middle.size(), PS_INT32, 0, 2, nullptr, nullptr));
    must(middle == std::vector<int32_t>(1024, 12), "the 4 KiB message is damaged");
    ok(psRecv(world, got.data(), got.size(), PS_INT32, 0, 1, nullptr, nullptr));
    must(got == small, "the small message is damaged");
  }
  const std::vector<int32_t> own(8, self.rank);
  ok(psGather(world, own.data(), gathered.data(), own.size(), PS_INT32, 1, nullptr, nullptr));
  if (self.rank == 1) must(gathered[0] == 11 && gathered[8] == 1 && gathered[16] == 2, "the gather is wrong");
  std::vector<int32_t> got(8);
  ok(psBroadcast(world, nullptr, got.data(), got.size(), PS_INT32, 0, nullptr, nullptr));
  must(got == small, "the broadcast is damaged");
  self.say("received");
  self.hear("all received");
  must(psRecv(world, got.data(), 8, PS_INT32, 0, 9, nullptr, nullptr) == PS_ERR_PEER_FAILED,
       "a message that was never sent arrives");
  finish(context, world);
});

TEST(Leaving, WhatWasSentBeforeArrives) {
  World world("delivered", 3);
  for (const int rank : {1, 2}) world.hear(rank, "ready");
  // The host of the store waits for the others to leave, but tells them at once that it left.
  for (const int rank : {1, 2}) world.tell(rank, "gone");
  // The receive that fails fails the group for both.
  for (const int rank : {1, 2}) world.hear(rank, "received");
  for (const int rank : {1, 2}) world.tell(rank, "all received");
  world.end();
}

// Any rank but the store's host is really gone when its peers begin to look.
const RankProgram kDeliveredByTheDead("delivered_by_the_dead", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<int32_t> small(8, 11);
  std::vector<int32_t> got(8);
  if (self.rank == 1) {
    ok(psSend(world, small.data(), small.size(), PS_INT32, 0, 1, nullptr, nullptr));
    ok(psBroadcast(world, small.data(), small.data(), small.size(), PS_INT32, 1, nullptr, nullptr));
    return finish(context, world);
  }
  self.hear("gone");
  ok(psBroadcast(world, nullptr, got.data(), got.size(), PS_INT32, 1, nullptr, nullptr));
  must(got == small, "the broadcast is damaged");
  if (self.rank == 0) {
    got.assign(8, 0);
    ok(psRecv(world, got.data(), got.size(), PS_INT32, 1, 1, nullptr, nullptr));
    must(got == small, "the message is damaged");
  }
  finish(context, world);
});

TEST(Leaving, WhatWasSentArrivesFromAProcessThatHasEnded) {
  World world("delivered_by_the_dead", 3);
  EXPECT_EQ(world.wait(1), 0);
  for (const int rank : {0, 2}) world.tell(rank, "gone");
  world.end();
}

const RankProgram kFreed("freed_group", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t both[] = {0, 1};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "pair";
  psGroup pair = nullptr;
  ok(psNewGroup(context, both, 2, &options, &pair));
  int32_t value = 5;
  if (self.rank == 1) {
    ok(psSend(pair, &value, 1, PS_INT32, 0, 1, nullptr, nullptr));
    ok(psGroupFree(pair));
    self.say("freed");
    self.hear("end");
    return finish(context, world);
  }
  self.hear("freed");
  int32_t got = 0;
  ok(psRecv(pair, &got, 1, PS_INT32, 1, 1, nullptr, nullptr));
  must(got == 5, "what was sent before the group was freed is damaged");
  self.say_result("error", psBarrier(pair, nullptr));
  psGroupInfo info = PS_GROUP_INFO_INIT;
  ok(psGetGroupInfo(pair, &info));
  must(info.failed_global_rank == 1, "psGroupInfo does not blame rank 1");
  ok(psGroupFree(pair));
  finish(context, world);
});

TEST(Leaving, FreedGroup) {
  World world("freed_group", 2);
  world.hear(1, "freed");
  world.tell(0, "freed");
  const Line error = world.hear(0, "error");
  EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
  expect_contains(error.text(), {world.name(1), "has freed", "'pair'"});
  world.tell(1, "end");
  world.end();
}

// Beside a failed group, another one of the same ranks goes on; equal lists share a failure unless told otherwise.
const RankProgram kTimeoutOfOne("timeout_of_one_group", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t both[] = {0, 1};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "own";
  options.flags = PS_OWN_COMMUNICATOR;
  psGroup own = nullptr;
  ok(psNewGroup(context, both, 2, &options, &own));
  ok(psGroupSetTimeout(own, 100));
  if (self.rank == 0) self.say_result("error", psBarrier(own, nullptr));
  ok(psBarrier(world, nullptr));
  if (self.rank == 1) {
    ok(psGroupSetTimeout(own, 30'000));  // over a network the failure may take its time to arrive
    self.say_result("error", psBarrier(own, nullptr));
  }
  ok(psBarrier(world, nullptr));
  ok(psGroupFree(own));
  finish(context, world);
});

TEST(Leaving, TimeoutFailsOneGroupAlone) {
  World world("timeout_of_one_group", 2);
  for (const Line& error : world.hear_all("error")) {
    says_never_arrived(error, world.name(1));
    expect_contains(error.text(), {"'own'"});
  }
  world.end();
}

}  // namespace
}  // namespace faults
