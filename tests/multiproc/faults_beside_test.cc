// A peer departs while many threads of the survivors look at the same groups: in each group one is blocked in a receive,
// one waits for a work, and the library's own thread has further works. Whoever notices first must not leave the
// others with a request that is already settled, nor with another cause.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kGroups = 4;
constexpr int kDeparting = 1;
constexpr size_t kSmall = 8;
constexpr size_t kLarge = 100'000;

void must_blame_the_departed(psResult result, const std::string& text) {
  must(result == PS_ERR_PEER_FAILED, std::string("got ") + psResultName(result) + ": " + text);
  must(text.find("rank 1 (pid ") != std::string::npos, "does not name rank 1: " + text);
}

// All that one survivor has in flight on one group when the peer departs.
class Busy {
 public:
  Busy(psContext context, int size) {
    std::vector<int32_t> ranks;
    for (int32_t rank = 0; rank < size; ++rank) ranks.push_back(rank);
    psGroupOptions options = PS_GROUP_OPTIONS_INIT;
    options.flags = PS_OWN_COMMUNICATOR;
    ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group_));
  }

  void start() {
    ok(psAllReduce(group_, small_.data(), small_.data(), kSmall, PS_FLOAT32, PS_SUM, nullptr, &works_[0]));
    ok(psAllReduce(group_, large_.data(), large_.data(), kLarge, PS_FLOAT32, PS_SUM, nullptr, &works_[1]));
    ok(psRecv(group_, received_.data(), kSmall, PS_FLOAT32, kDeparting, 1, nullptr, &works_[2]));
    blocked_ = std::thread([this] {
      std::array<float, kSmall> nothing{};
      const psResult result = psRecv(group_, nothing.data(), kSmall, PS_FLOAT32, kDeparting, 2, nullptr, nullptr);
      must_blame_the_departed(result, psLastError());
    });
    waiting_ = std::thread([this] {
      const psResult result = psWorkWait(works_[1], -1);
      must_blame_the_departed(result, psLastError());
    });
  }

  void leave() { ok(psGroupFree(group_)); }

  void end() {
    blocked_.join();
    waiting_.join();
    for (psWork& work : works_) {
      const psResult result = psWorkWait(work, -1);
      const char* text = nullptr;
      ok(psWorkError(work, &text));
      must_blame_the_departed(result, text);
      ok(psWorkFree(work));
    }
    ok(psGroupFree(group_));
  }

 private:
  psGroup group_ = nullptr;
  std::vector<float> small_ = std::vector<float>(kSmall, 1.0F);
  std::vector<float> large_ = std::vector<float>(kLarge, 1.0F);
  std::vector<float> received_ = std::vector<float>(kSmall);
  std::array<psWork, 3> works_{};
  std::thread blocked_;
  std::thread waiting_;
};

const RankProgram kDeparture("departure_beside_threads", [](const Rank& self) {
  psContext context = self.join();
  std::vector<Busy> groups;
  groups.reserve(kGroups);
  for (int i = 0; i < kGroups; ++i) groups.emplace_back(context, self.size);
  if (self.rank == kDeparting) {
    self.say("ready");
    self.hear("go");
    if (self.argument(0) == "exit") ::exit(0);
    if (self.argument(0) == "kill") self.hear("death");
    for (Busy& group : groups) group.leave();
    ok(psFinalize(context));
    return;
  }
  for (Busy& group : groups) group.start();
  self.say("ready");
  for (Busy& group : groups) group.end();
  ok(psFinalize(context));
});

class BesideDeparture : public testing::TestWithParam<const char*> {};

TEST_P(BesideDeparture, EveryThreadGetsTheCause) {
  const int rounds = patience() > 1 ? 4 : 12;
  for (int round = 0; round < rounds; ++round) {
    World world("departure_beside_threads", 3, {GetParam()});
    world.hear_all("ready");
    world.tell(kDeparting, "go");
    if (std::string(GetParam()) == "kill") world.kill(kDeparting);
    world.end();
  }
}

// Rank 1 serves everybody and frees the group at once, round after round; what it had given must arrive, whichever thread
// of the receiver sees the gift and the departure first.
const RankProgram kServedAndLeft("served_and_left", [](const Rank& self) {
  psContext context = self.join();
  const std::vector<int32_t> ranks = {0, 1};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  for (int64_t round = 0; round < self.number(0); ++round) {
    psGroup group = nullptr;
    ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
    std::array<int64_t, 2> data = {round, round + 1};
    if (self.rank == kDeparting) {
      for (int32_t tag = 1; tag <= 3; ++tag) {
        ok(psSend(group, data.data(), data.size(), PS_INT64, 0, tag, nullptr, nullptr));
      }
      ok(psReduce(group, data.data(), nullptr, data.size(), PS_INT64, PS_SUM, 0, nullptr, nullptr));
    } else {
      std::array<std::array<int64_t, 2>, 4> got{};
      std::array<psWork, 3> works{};
      ok(psReduce(group, data.data(), got[0].data(), data.size(), PS_INT64, PS_SUM, 0, nullptr, &works[0]));
      for (int32_t tag = 1; tag <= 2; ++tag) {
        const auto i = static_cast<size_t>(tag);
        ok(psRecv(group, got[i].data(), data.size(), PS_INT64, kDeparting, tag, nullptr, &works[i]));
      }
      std::thread blocked([&] {
        ok(psRecv(group, got[3].data(), data.size(), PS_INT64, kDeparting, 3, nullptr, nullptr));
      });
      for (psWork& work : works) {
        ok(psWorkWait(work, -1));
        ok(psWorkFree(work));
      }
      blocked.join();
      for (size_t i = 0; i < got.size(); ++i) {
        const int64_t times = i == 0 ? 2 : 1;
        must(got[i][0] == round * times && got[i][1] == (round + 1) * times, "the data is damaged");
      }
    }
    ok(psGroupFree(group));
  }
  ok(psFinalize(context));
});

TEST(Beside, WhatWasGivenBeforeLeavingArrives) {
  const char* rounds = ::getenv("PS_ROUNDS");
  World world("served_and_left", 2, {rounds != nullptr ? rounds : patience() > 1 ? "400" : "500"});
  world.end();
}

// A log sink that holds up whoever calls it at a group's failure until another thread has used that group.
struct HeldSink {
  std::atomic<int> failures{0};
  std::atomic<bool> released{false};

  static void write(void* self, psLogLevel, const char* text) {
    auto& sink = *static_cast<HeldSink*>(self);
    if (std::string(text).find("a group of 2 ranks failed") == std::string::npos) return;
    sink.failures.fetch_add(1);
    sink.failures.notify_all();
    sink.released.wait(false);
  }
};

// Rank 0 notices in one of the ways: in the library's thread, in a call that is blocked, by its deadline, in a refusal.
const RankProgram kHeldLog("held_log", [](const Rank& self) {
  const std::string& way = self.argument(0);
  HeldSink sink;
  psConfig config = self.config();
  config.log = HeldSink::write;
  config.log_user = &sink;
  config.log_level = PS_LOG_INFO;
  psContext context = nullptr;
  ok(psInit(&config, &context));
  const psGroup world = self.world(context);
  if (self.rank == 1) {
    sink.released.store(true);
    self.hear("go");
    if (way == "refused") ok(psGroupAbort(world, "to be found by the next call"));
    self.say("gone");
    if (way != "leaves" && way != "message" && way != "work") self.hear("end");
    ok(psGroupFree(world));
    ok(psFinalize(context));
    return;
  }
  int32_t value = 1;
  psWork work = nullptr;
  if (way == "deadline") ok(psGroupSetTimeout(world, 1));
  if (way == "work") ok(psAllReduce(world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, &work));
  self.say("ready");
  self.hear("gone");
  std::thread caller([&] {
    int32_t mine = 1;
    const psResult result = way == "work"      ? PS_ERR_PEER_FAILED
                            : way == "message" ? psRecv(world, &mine, 1, PS_INT32, 1, 5, nullptr, nullptr)
                                               : psBarrier(world, nullptr);
    must(result == (way == "refused" ? PS_ERR_ABORTED : way == "deadline" ? PS_ERR_TIMEOUT : PS_ERR_PEER_FAILED),
         psResultName(result));
  });
  sink.failures.wait(0);
  must(psBarrier(world, nullptr) != PS_OK, "the group has not failed");
  must(psSend(world, &value, 1, PS_INT32, 1, 6, nullptr, nullptr) != PS_OK, "the group has not failed");
  if (work != nullptr) must(psWorkTest(work) != PS_OK, "the work has not failed");
  sink.released.store(true);
  sink.released.notify_all();
  caller.join();
  if (work != nullptr) must(psWorkWait(work, -1) == PS_ERR_PEER_FAILED, "the work has not failed");
  ok(psWorkFree(work));
  must(sink.failures.load() == 1, "the failure was logged again");
  self.say("ended");
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Beside, TheLogIsCalledWithNoLockHeld) {
  for (const std::string way : {"work", "leaves", "message", "deadline", "refused"}) {
    SCOPED_TRACE(way);
    World world("held_log", 2, {way});
    world.hear(0, "ready");
    world.tell(1, "go");
    world.hear(1, "gone");
    world.tell(0, "gone");
    world.hear(0, "ended");
    if (way == "deadline" || way == "refused") world.tell(1, "end");
    world.end();
  }
}

INSTANTIATE_TEST_SUITE_P(Ways, BesideDeparture, testing::Values("finalize", "exit", "kill"));

}  // namespace
}  // namespace faults
