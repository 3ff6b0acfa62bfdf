// A member dies, leaves or frees the group while the others are in psMemAlloc or its kin: they are told who, by its
// name, and what they hold can still be freed. And what a failed operation has lent is its caller's when that returns.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kSize = 3;
constexpr int kVictim = 1;
constexpr size_t kBytes = 100'000;

void must_work(psContext context) {
  const int32_t survivors[] = {0, 2};
  psGroup group = nullptr;
  ok(psNewGroup(context, survivors, 2, nullptr, &group));
  void* memory = nullptr;
  ok(psMemAlloc(group, kBytes, PS_DEVICE_HOST, &memory));
  auto* const bytes = static_cast<unsigned char*>(memory);
  bytes[kBytes - 1] = 20;
  ok(psAllReduce(group, bytes, bytes, kBytes, PS_UINT8, PS_SUM, nullptr, nullptr));
  must(bytes[0] == 0 && bytes[kBytes - 1] == 40, "the survivors' sum is wrong");
  ok(psMemFree(group, memory));
  ok(psGroupFree(group));
}

const RankProgram kWaiting("waiting_for_memory", [](const Rank& self) {
  psContext context = self.join();
  const int32_t everybody[] = {0, 1, 2};
  psGroup group = nullptr;
  ok(psNewGroup(context, everybody, kSize, nullptr, &group));
  void* held = nullptr;
  ok(psMemAlloc(group, kBytes, PS_DEVICE_HOST, &held));
  self.say("ready");
  if (self.rank == kVictim) {
    self.hear("go");
    const std::string way = self.argument(0);
    if (way == "leaves") ok(psFinalize(context));
    ok(psGroupFree(group));
    if (way == "frees") {
      self.hear("end");
      ok(psFinalize(context));
    }
    return;
  }
  void* memory = nullptr;
  self.say_result("error", psMemAlloc(group, kBytes, PS_DEVICE_HOST, &memory));
  ok(psMemFree(group, held));
  must(psMemFree(group, held) == PS_ERR_ARGUMENT, "freed twice");
  ok(psGroupFree(group));
  self.hear("end");
  must_work(context);
  ok(psFinalize(context));
});

void expect_named(World& world, const std::string& why) {
  for (const int rank : {0, 2}) {
    const Line error = world.hear(rank, "error");
    EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED");
    expect_contains(error.text(), {"psMemAlloc", world.name(kVictim), why});
  }
}

TEST(Memory, AMemberThatDiesIsNamed) {
  World world("waiting_for_memory", kSize, {"dies"});
  world.hear_all("ready");
  world.kill(kVictim);
  expect_named(world, "ended without psFinalize");
  world.tell(0, "end");
  world.tell(2, "end");
  world.end();
}

TEST(Memory, AMemberThatLeavesIsNamed) {
  World world("waiting_for_memory", kSize, {"leaves"});
  world.hear_all("ready");
  world.tell(kVictim, "go");
  expect_named(world, "left by psFinalize");
  world.tell(0, "end");
  world.tell(2, "end");
  world.end();
}

TEST(Memory, AMemberThatFreesTheGroupIsNamed) {
  World world("waiting_for_memory", kSize, {"frees"});
  world.hear_all("ready");
  world.tell(kVictim, "go");
  expect_named(world, "has freed the group");
  world.tell_all("end");
  world.end();
}

const RankProgram kChurning("churning_memory", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  self.say("ready");
  psResult result = PS_OK;
  for (unsigned char round = 1; result == PS_OK; ++round) {
    void* memory = nullptr;
    result = psMemAlloc(world, kBytes, PS_DEVICE_HOST, &memory);
    if (result != PS_OK) break;
    auto* const bytes = static_cast<unsigned char*>(memory);
    bytes[0] = round;
    result = psAllReduce(world, bytes, bytes, kBytes, PS_UINT8, PS_MAX, nullptr, nullptr);
    must(result != PS_OK || bytes[0] == round, "a wrong maximum");
    const std::string text = psLastError();
    const psResult freed = psMemFree(world, memory);
    must(freed == PS_OK, std::string("not freed: ") + psLastError());
    if (result != PS_OK) must(text.find("rank 1 (pid ") != std::string::npos, "names nobody who is gone: " + text);
  }
  must(result == PS_ERR_PEER_FAILED, std::string("got ") + psResultName(result));
  ok(psGroupFree(world));
  must_work(context);
  ok(psFinalize(context));
});

TEST(Memory, AMemberDiesAtAnyMoment) {
  std::mt19937 random(20261121);
  const int rounds = patience() > 1 ? 6 : 20;
  for (int round = 0; round < rounds; ++round) {
    World world("churning_memory", kSize);
    world.hear_all("ready");
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 12'000));
    world.kill(kVictim);
    world.end();
  }
}

constexpr int kLenders = 4;
constexpr size_t kLent = 16 << 20;

enum class Lending { kSums, kExchanges, kExchangesOfOwnMemory, kMessages };

// Every round calls of one kind follow each other until one of the lenders aborts one somewhere in it. Whoever has its
// error writes over its memory, and looks again when all have returned. Who has a result has the right one.
const RankProgram kLending("lending_memory", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<int32_t> everybody;
  for (int rank = 0; rank < kLenders; ++rank) everybody.push_back(rank);
  std::mt19937 random(static_cast<unsigned>(self.number(0)));
  std::vector<int32_t> own(2 * kLent / sizeof(int32_t));
  for (int64_t round = 0; round < self.number(1); ++round) {
    psGroupOptions options = PS_GROUP_OPTIONS_INIT;
    options.flags = PS_OWN_COMMUNICATOR;
    psGroup group = nullptr;
    ok(psNewGroup(context, everybody.data(), everybody.size(), &options, &group));
    const auto kind = static_cast<Lending>(round % 4);
    const bool is_symmetric = kind == Lending::kSums || kind == Lending::kExchanges;
    void* memory = nullptr;
    if (is_symmetric) ok(psMemAlloc(group, 2 * kLent, PS_DEVICE_HOST, &memory));
    auto* const data = is_symmetric ? static_cast<int32_t*>(memory) : own.data();
    constexpr size_t kCount = kLent / sizeof *data;
    int32_t* const output = data + kCount;
    std::fill(data, output, self.rank + 1);
    const int before = (self.rank + kLenders - 1) % kLenders;
    const auto expected = [&](size_t i) {
      if (kind == Lending::kSums) return kLenders * (kLenders + 1) / 2;
      return kind == Lending::kMessages ? before + 1 : static_cast<int32_t>(i / (kCount / kLenders)) + 1;
    };
    const auto call = [&] {
      if (kind == Lending::kSums) return psAllReduce(group, data, output, kCount, PS_INT32, PS_SUM, nullptr, nullptr);
      if (kind == Lending::kMessages) {
        return psSendRecv(group, data, kCount, (self.rank + 1) % kLenders, output, kCount, before, PS_INT32, 0, nullptr, nullptr);
      }
      return psAllToAll(group, data, output, kCount / kLenders, PS_INT32, nullptr, nullptr);
    };
    const auto aborter = static_cast<int>(random() % kLenders);
    const auto delay = std::chrono::microseconds(random() % 40'000);
    ok(psBarrier(world, nullptr));
    std::thread abort;
    if (self.rank == aborter) {
      abort = std::thread([=] {
        std::this_thread::sleep_for(delay);
        psGroupAbort(group, "enough");
      });
    }
    for (psResult result = PS_OK; result == PS_OK;) {
      result = call();
      for (size_t i = 0; result == PS_OK && i < kCount; ++i) must(output[i] == expected(i), "a wrong result");
      must(result == PS_OK || result == PS_ERR_ABORTED, std::string("got ") + psResultName(result) + ": " + psLastError());
    }
    std::fill(data, output + kCount, -1);
    ok(psBarrier(world, nullptr));
    if (abort.joinable()) abort.join();
    const bool is_own = std::all_of(data, output + kCount, [](int32_t i) { return i == -1; });
    must(is_own, "a peer wrote into memory that was this rank's again, in round " + std::to_string(round));
    if (is_symmetric) ok(psMemFree(group, memory));
    ok(psGroupFree(group));
  }
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Memory, WhatAFailedOperationLentIsItsCallersAgain) {
  World world("lending_memory", kLenders, {"20261121", std::to_string(patience() > 1 ? 8 : 24)});
  world.end();
}

// Sums, or exchanges messages, over lent memory until one fails, one after the other, so that a rank is nearly always in
// the other's memory.
const RankProgram kSumming("using_lent_memory", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  void* memory = nullptr;
  ok(psMemAlloc(world, kLent, PS_DEVICE_HOST, &memory));
  std::thread abort;
  if (self.rank == 0) {
    abort = std::thread([&] {
      self.hear("abort");
      psGroupAbort(world, "enough");
    });
  }
  self.say("ready");
  psResult result = PS_OK;
  const auto other = static_cast<std::byte*>(memory) + kLent / 2;
  while (result == PS_OK) {
    result = self.number(0) == 0
                 ? psAllReduce(world, memory, memory, kLent / 4, PS_UINT32, PS_SUM, nullptr, nullptr)
                 : psSendRecv(world, memory, kLent / 2, 1 - self.rank, other, kLent / 2, 1 - self.rank, PS_UINT8, 0, nullptr, nullptr);
  }
  self.say_result("ended", result);
  if (abort.joinable()) abort.join();
  self.hear("end");
  ok(psMemFree(world, memory));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Memory, AStoppedMemberInTheMemoryOfAFailedOneIsNotWaitedForForEver) {
  for (const char* use : {"0", "1"}) {
    World world("using_lent_memory", 2, {use});
    world.hear_all("ready");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    world.signal(1, SIGSTOP);
    world.tell(0, "abort");
    EXPECT_EQ(world.hear(0, "ended").code(), "PS_ERR_ABORTED");
    world.signal(1, SIGCONT);
    EXPECT_EQ(world.hear(1, "ended").code(), "PS_ERR_ABORTED");
    world.tell_all("end");
    world.end();
  }
}

}  // namespace
}  // namespace faults
