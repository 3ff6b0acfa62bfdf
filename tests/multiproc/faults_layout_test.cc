// A rank that does not come, or dies, while the groups of a layout are made: the others are told who, and can go on.
#include <gtest/gtest.h>
#include <signal.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kSize = 4;
constexpr int kVictim = 2;

void recover(psContext context, int rank) {
  ok(psDestroyModelParallel(context));
  std::vector<int32_t> survivors;
  for (int32_t other = 0; other < kSize; ++other) {
    if (other != kVictim) survivors.push_back(other);
  }
  psGroup group = nullptr;
  ok(psNewGroup(context, survivors.data(), survivors.size(), nullptr, &group));
  int64_t sum = rank;
  ok(psAllReduce(group, &sum, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr));
  must(sum == 0 + 1 + 3, "the survivors' sum is wrong");
  ok(psGroupFree(group));
  ok(psFinalize(context));
}

const RankProgram kForming("forming_layouts", [](const Rank& self) {
  psContext context = self.join();
  self.say("ready");
  // Layouts are made and dropped, and used, until the victim dies at any moment of this.
  psResult result = PS_OK;
  while (result == PS_OK) {
    result = psInitModelParallel(context, "sglang:tp=2,pp=2", nullptr);
    if (result != PS_OK) break;
    psGroup tp = nullptr;
    ok(psGetGroup(context, "tp", &tp));
    psGroup pp = nullptr;
    ok(psGetGroup(context, "pp", &pp));
    for (psGroup group : {tp, pp}) {
      if (result == PS_OK) result = psBarrier(group, nullptr);
    }
    const std::string text = psLastError();
    ok(psGroupFree(tp));
    ok(psGroupFree(pp));
    if (result == PS_OK) {
      ok(psDestroyModelParallel(context));
    } else {
      // The victim, or a survivor of it that has given up already and that this rank was waiting for.
      const bool of_victim = text.find("rank 2 (pid ") != std::string::npos;
      const bool of_survivor = text.find("has freed the group") != std::string::npos ||
                               text.find("could not make this group") != std::string::npos;
      must(of_victim || of_survivor, "names nobody who is gone: " + text);
    }
  }
  self.say_result("error", result);
  recover(context, self.rank);
});

TEST(Layout, ARankDiesAtAnyMoment) {
  std::mt19937 random(20261121);
  const int rounds = patience() > 1 ? 6 : 30;
  for (int round = 0; round < rounds; ++round) {
    World world("forming_layouts", kSize);
    world.hear_all("ready");
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 12'000));
    world.kill(kVictim);
    for (const int rank : {0, 1, 3}) {
      const Line error = world.hear(rank, "error");
      EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED") << error.text();
      if (error.text().find("psInitModelParallel") != std::string::npos) expect_contains(error.text(), {"rank 2"});
    }
    world.end();
  }
}

const RankProgram kMissingFromLayout("missing_from_layout", [](const Rank& self) {
  psConfig config = self.config();
  config.init_timeout_ms = 10'000 * patience();
  psContext context = nullptr;
  ok(psInit(&config, &context));
  self.say("ready");
  self.hear("begin");
  if (self.rank != kVictim) {
    self.say_result("error", psInitModelParallel(context, "sglang:tp=2,pp=2", nullptr));
    int32_t there = -1;
    ok(psModelParallelIsInitialized(context, &there));
    must(there == 0, "half a layout is left");
  }
  self.hear("end");
  ok(psFinalize(context));
});

TEST(Layout, ARankThatDoesNotComeIsNamed) {
  World world("missing_from_layout", kSize);
  // The deadline is psInit's too: those who call the layout begin together, when all have joined.
  world.hear_all("ready");
  world.tell_all("begin");
  for (const int rank : {0, 1, 3}) {
    const Line error = world.hear(rank, "error");
    EXPECT_EQ(error.code(), "PS_ERR_TIMEOUT");
    expect_contains(error.text(), {"psInitModelParallel", "Missing: rank 2"});
  }
  world.tell_all("end");
  world.end();
}

}  // namespace
}  // namespace faults
