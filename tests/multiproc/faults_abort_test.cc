// Ends that somebody asks for: psGroupAbort, psAbort, psFinalize beside a blocked call or with work pending. And a wait
// that runs out, which ends nothing.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// Returns once the other thread's call has started: its work or its place in the order shows in nothing else.
void until_called(psContext context, int rank, const char* call) {
  for (;;) {
    psBytes json = nullptr;
    ok(psDescribe(context, &json));
    const void* data = nullptr;
    ok(psBytesAt(json, 0, &data, nullptr, nullptr));
    const std::string text = static_cast<const char*>(data);
    ok(psBytesFree(json));
    const size_t at = text.find("\"rank\":" + std::to_string(rank) + ",");
    if (at != std::string::npos && text.find(call) != std::string::npos) return;
    std::this_thread::yield();
  }
}

// Rank 0 is blocked in one thread and ends that from another; rank 1 is blocked as well; rank 2 calls nothing
// meanwhile.
const RankProgram kAborted("aborted", [](const Rank& self) {
  const std::string& way = self.argument(0);
  psContext context = self.join();
  const psGroup world = self.world(context);
  int32_t value = 1;
  if (self.rank == 0) {
    std::thread ender([&] {
      until_called(context, 0, "barrier()");
      self.hear("end");
      ok(way == "group" ? psGroupAbort(world, "the data are wrong") : psAbort(context, "the data are wrong"));
      ok(way == "group" ? psGroupAbort(world, "again") : psAbort(context, "again"));
    });
    const psResult result = psBarrier(world, nullptr);
    self.say_result("error", result);
    ender.join();
  } else {
    if (self.rank == 2) self.hear("end");
    const psResult result = self.rank == 1 ? psRecv(world, &value, 1, PS_INT32, 2, 5, nullptr, nullptr)
                                           : psAllReduce(world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr);
    self.say_result("error", result);
  }
  must(psBarrier(world, nullptr) == PS_ERR_ABORTED, "the group works after its abort");
  psGroupInfo info = PS_GROUP_INFO_INIT;
  ok(psGetGroupInfo(world, &info));
  must(info.failure == PS_ERR_ABORTED && info.failed_global_rank == 0, "psGroupInfo does not name rank 0");
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

void expect_aborted(const std::string& way, const std::vector<std::string>& parts) {
  World world("aborted", 3, {way});
  world.tell(0, "end");
  for (const int rank : {0, 1}) {
    const Line error = world.hear(rank, "error");
    EXPECT_EQ(error.code(), "PS_ERR_ABORTED");
    expect_contains(error.text(), parts);
  }
  world.tell(2, "end");
  const Line late = world.hear(2, "error");
  EXPECT_EQ(late.code(), "PS_ERR_ABORTED");
  expect_contains(late.text(), parts);
  world.end();
}

TEST(Abort, OfAGroupFromAnotherThread) {
  expect_aborted("group", {"rank 0 ", "aborted group 'world'", "the data are wrong"});
}

TEST(Abort, OfAContextFromAnotherThread) { expect_aborted("context", {"rank 0 ", "psAbort", "the data are wrong"}); }

// An abort harms the aborted group alone.
const RankProgram kOthersGoOn("others_go_on", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t all[] = {2, 1, 0};
  psGroup reversed = nullptr;
  ok(psNewGroup(context, all, 3, nullptr, &reversed));
  if (self.rank == 1) ok(psGroupAbort(reversed, nullptr));
  const psResult result = psBarrier(reversed, nullptr);
  self.say_result("error", result);
  for (int i = 0; i < 10; ++i) ok(psBarrier(world, nullptr));
  ok(psGroupFree(reversed));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Abort, LeavesOtherGroupsAlone) {
  World world("others_go_on", 3);
  for (const Line& error : world.hear_all("error")) {
    EXPECT_EQ(error.code(), "PS_ERR_ABORTED");
    expect_contains(error.text(), {"rank 1 ", "of ranks 2, 1, 0"});
  }
  world.end();
}

// Ranks 0 and 1 have exchanged messages, and 2 and 3: over a network nobody has a connection to all who know of the abort.
const RankProgram kPairs("aborted_pairs", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t mate = self.rank ^ 1;
  const auto send = [&](int32_t tag) { return psSend(world, &tag, 1, PS_INT32, mate, tag, nullptr, nullptr); };
  const auto receive = [&](int32_t tag) { return psRecv(world, &tag, 1, PS_INT32, mate, tag, nullptr, nullptr); };
  // For so long that whatever connecting needs has been let go of.
  const int64_t until = now_ns() + 300'000'000;
  for (int32_t more = 1; more != 0;) {
    more = self.rank < mate && now_ns() < until ? 1 : 0;
    if (self.rank < mate) ok(psSend(world, &more, 1, PS_INT32, mate, 0, nullptr, nullptr));
    if (self.rank > mate) ok(psRecv(world, &more, 1, PS_INT32, mate, 0, nullptr, nullptr));
    self.rank < mate ? ok(receive(1)) : ok(send(1));
  }
  self.say("ready");
  if (self.rank == 3) {
    self.hear("abort");
    ok(psGroupAbort(world, "the data are wrong"));
  }
  self.say_result("error", receive(2));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Abort, ReachesThoseWhoHadToDoWithOthers) {
  World world("aborted_pairs", 4);
  world.hear_all("ready");
  world.tell(3, "abort");
  for (const Line& error : world.hear_all("error")) {
    EXPECT_EQ(error.code(), "PS_ERR_ABORTED");
    expect_contains(error.text(), {"rank 3 ", "aborted group 'world'", "the data are wrong"});
  }
  world.end();
}

const RankProgram kFinalized("finalized_beside", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  if (self.rank == 0) {
    std::thread blocked([&] {
      const psResult result = psBarrier(world, nullptr);
      self.say_result("error", result);
    });
    until_called(context, 0, "barrier()");
    std::vector<int32_t> data(100'000, 3);
    std::vector<int32_t> out(100'000, -1);
    psWork work = nullptr;
    ok(psRecv(world, out.data(), out.size(), PS_INT32, 1, 1, nullptr, &work));
    const psResult result = psFinalize(context);
    blocked.join();
    ok(result);
    const psResult pending = psWorkTest(work);
    must(pending == PS_ERR_STATE, std::string("the pending work is ") + psResultName(pending));
    const char* text = nullptr;
    ok(psWorkError(work, &text));
    self.say("work", {psResultName(pending), text});
    ok(psWorkFree(work));
    must(out == std::vector<int32_t>(out.size(), -1), "an aborted receive has written");
    must(psBarrier(world, nullptr) == PS_ERR_STATE, "a group of a finalized context works");
    ok(psGroupFree(world));
    return;
  }
  int32_t value = 0;
  const psResult result = psRecv(world, &value, 1, PS_INT32, 0, 4, nullptr, nullptr);
  self.say_result("error", result);
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Abort, FinalizeBesideABlockedCallAndPendingWork) {
  // Rank 2 calls nothing, so that the barrier blocks.
  World world(3);
  world.start("finalized_beside", 0);
  world.start("finalized_beside", 1);
  world.start("idle_rank", 2);
  const Line own = world.hear(0, "error");
  EXPECT_EQ(own.code(), "PS_ERR_ABORTED");
  expect_contains(own.text(), {"psBarrier", "psFinalize was called on this rank"});
  const Line peer = world.hear(1, "error");
  EXPECT_EQ(peer.code(), "PS_ERR_PEER_FAILED");
  expect_contains(peer.text(), {world.name(0) + " left by psFinalize"});
  world.tell(2, "end");
  expect_contains(world.hear(0, "work").text(),
                  {"recv(count 100000, int32, from 1)", "psFinalize was called on this rank"});
  world.end();
}

const RankProgram kIdle("idle_rank", [](const Rank& self) {
  psContext context = self.join();
  self.hear("end");
  ok(psFinalize(context));
});

const RankProgram kPatient("patient_wait", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  int32_t value = 1;
  if (self.rank == 1) self.hear("go");
  psWork work = nullptr;
  ok(psAllReduce(world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, &work));
  if (self.rank == 0) {
    for (const int64_t timeout : {0, 20}) {
      const psResult result = psWorkWait(work, timeout);
      must(psWorkTest(work) == PS_IN_PROGRESS, "the operation has ended");
      self.say_result("waited", result);
    }
    psGroupInfo info = PS_GROUP_INFO_INIT;
    ok(psGetGroupInfo(world, &info));
    must(info.failure == PS_OK, "a wait that ran out has failed the group");
    self.say("unharmed");
  }
  ok(psWorkWait(work, -1));
  must(value == 2, "the sum is wrong");
  ok(psWorkFree(work));
  ok(psBarrier(world, nullptr));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Abort, AWaitThatRunsOutHarmsNothing) {
  World world("patient_wait", 2);
  for (int i = 0; i < 2; ++i) {
    const Line waited = world.hear(0, "waited");
    EXPECT_EQ(waited.code(), "PS_ERR_TIMEOUT");
    expect_contains(waited.text(), {"all_reduce(count 1, int32, sum)", "on group 'world'", world.name(1)});
  }
  world.hear(0, "unharmed");
  world.tell(1, "go");
  world.end();
}

}  // namespace
}  // namespace faults
