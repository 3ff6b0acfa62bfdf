// Ranks that call different things all learn which, in this call or, where it had returned already, in their next; and
// no output is written where this call fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kRanks = 3;
constexpr size_t kSmall = 6;
constexpr size_t kLendable = 3'000;
constexpr size_t kLarge = 120'000;
constexpr uint8_t kGuard = 0xa5;

struct Buffers {
  explicit Buffers(size_t count) : send(kRanks * (count + 1) * 8, 1), recv(kRanks * (count + 1) * 8, kGuard) {}
  bool untouched() const { return recv == std::vector<uint8_t>(recv.size(), kGuard); }
  std::vector<uint8_t> send;
  std::vector<uint8_t> recv;
};

// One call of a rank; `odd` on the rank that differs.
struct Case {
  const char* name;
  psResult (*call)(psGroup group, Buffers& buffers, size_t count, bool odd);
  // What the texts say of the usual call and of the odd one.
  std::vector<std::string> parts;
};

using Counts = std::vector<size_t>;

const Case kCases[] = {
    {"kind",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return odd ? psAllGather(group, b.send.data(), b.recv.data(), count, PS_INT32, nullptr, nullptr)
                  : psAllReduce(group, b.send.data(), b.recv.data(), count, PS_INT32, PS_SUM, nullptr, nullptr);
     },
     {"all_gather(count ", "all_reduce(count "}},
    {"barrier",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return odd ? psBarrier(group, nullptr)
                  : psAllReduce(group, b.send.data(), b.recv.data(), count, PS_INT32, PS_SUM, nullptr, nullptr);
     },
     {"barrier()", "all_reduce(count "}},
    {"dtype",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psAllReduce(group, b.send.data(), b.recv.data(), count, odd ? PS_FLOAT32 : PS_INT32, PS_SUM, nullptr,
                          nullptr);
     },
     {"float32", "int32"}},
    {"reduction",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psReduceScatter(group, b.send.data(), b.recv.data(), count, PS_INT32, odd ? PS_MAX : PS_SUM, nullptr,
                              nullptr);
     },
     {"reduce_scatter(count ", ", max", ", sum"}},
    {"count",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psAllReduce(group, b.send.data(), b.recv.data(), odd ? count - 1 : count, PS_INT32, PS_SUM, nullptr,
                          nullptr);
     },
     {"all_reduce(count "}},
    {"zero count",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psAllGather(group, b.send.data(), b.recv.data(), odd ? 0 : count, PS_INT32, nullptr, nullptr);
     },
     {"all_gather(count 0, int32)"}},
    {"broadcast root",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psBroadcast(group, b.send.data(), b.recv.data(), count, PS_INT32, odd ? 1 : 0, nullptr, nullptr);
     },
     {"root 0", "root 1"}},
    {"reduce root",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psReduce(group, b.send.data(), b.recv.data(), count, PS_INT32, PS_SUM, odd ? 1 : 0, nullptr, nullptr);
     },
     {"reduce(count ", "root 0", "root 1"}},
    {"gather count",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psGather(group, b.send.data(), b.recv.data(), odd ? count + 1 : count, PS_INT32, 0, nullptr, nullptr);
     },
     {"gather(count "}},
    {"scatter dtype",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psScatter(group, b.send.data(), b.recv.data(), count, odd ? PS_UINT32 : PS_INT32, 0, nullptr, nullptr);
     },
     {"scatter(count ", "uint32, root 0", "int32, root 0"}},
    {"all_to_all count",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       return psAllToAll(group, b.send.data(), b.recv.data(), odd ? count - 1 : count, PS_INT32, nullptr, nullptr);
     },
     {"all_to_all(count "}},
    {"all_gather_v counts",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       psGroupInfo info = PS_GROUP_INFO_INIT;
       ok(psGetGroupInfo(group, &info));
       Counts counts(kRanks, count);
       // Its own entry has to be right, else the call is refused.
       if (odd) counts[(static_cast<size_t>(info.rank) + 1) % kRanks] -= 1;
       return psAllGatherV(group, b.send.data(), count, b.recv.data(), counts.data(), nullptr, PS_INT32, nullptr,
                           nullptr);
     },
     {"all_gather_v(counts #"}},
    {"reduce_scatter_v counts",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       Counts counts(kRanks, count);
       if (odd) counts[0] -= 1;
       return psReduceScatterV(group, b.send.data(), b.recv.data(), counts.data(), PS_INT32, PS_SUM, nullptr, nullptr);
     },
     {"reduce_scatter_v(counts #"}},
    {"gather_v pair",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       const Counts counts(kRanks, count);
       return psGatherV(group, b.send.data(), odd ? count - 1 : count, b.recv.data(), counts.data(), nullptr, PS_INT32,
                        0, nullptr, nullptr);
     },
     {"gather_v(counts by rank", " elements are sent from rank ", " to rank 0, which expects "}},
    {"scatter_v pair",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       const Counts counts(kRanks, count);
       return psScatterV(group, b.send.data(), counts.data(), nullptr, b.recv.data(), odd ? count + 1 : count, PS_INT32,
                         0, nullptr, nullptr);
     },
     {"scatter_v(counts by rank", " elements are sent from rank 0 to rank "}},
    {"all_to_all_v pair",
     [](psGroup group, Buffers& b, size_t count, bool odd) {
       psGroupInfo info = PS_GROUP_INFO_INIT;
       ok(psGetGroupInfo(group, &info));
       Counts sends(kRanks, count);
       const Counts receives(kRanks, count);
       if (odd) sends[(static_cast<size_t>(info.rank) + 1) % kRanks] -= 1;
       return psAllToAllV(group, b.send.data(), sends.data(), nullptr, b.recv.data(), receives.data(), nullptr,
                          PS_INT32, nullptr, nullptr);
     },
     {"all_to_all_v(counts by rank", " elements are sent from rank "}},
};

// Runs one case in a group of its own; the odd rank comes first or last, as the test says.
const RankProgram kMismatch("mismatch", [](const Rank& self) {
  psContext context = self.join();
  const auto odd_rank = static_cast<int>(self.number(0));
  for (const Case& one : kCases) {
    for (const size_t count : {kSmall, kLarge}) {
      const int32_t ranks[] = {0, 1, 2};
      psGroupOptions options = PS_GROUP_OPTIONS_INIT;
      options.name = "odd";
      options.flags = PS_OWN_COMMUNICATOR;
      psGroup group = nullptr;
      ok(psNewGroup(context, ranks, kRanks, &options, &group));
      Buffers buffers(count);
      self.hear("go");
      const psResult first = one.call(group, buffers, count, self.rank == odd_rank);
      psResult result = first;
      if (result != PS_OK) must(buffers.untouched(), std::string(one.name) + ": a failing call wrote its output");
      // A rank that needed nobody may have returned; it learns in its next calls.
      if (result == PS_OK) result = psBarrier(group, nullptr);
      self.say_result("error", result);
      psGroupInfo info = PS_GROUP_INFO_INIT;
      ok(psGetGroupInfo(group, &info));
      must(info.failure == PS_ERR_MISMATCH,
           std::string(one.name) + ": psGroupInfo.failure is " + psResultName(info.failure));
      self.hear("next");
      ok(psGroupFree(group));
    }
  }
  ok(psFinalize(context));
});

void expect_mismatches(int odd_rank, const std::vector<int>& order) {
  World world("mismatch", kRanks, {std::to_string(odd_rank)});
  for (const Case& one : kCases) {
    for (const size_t count : {kSmall, kLarge}) {
      SCOPED_TRACE(std::string(one.name) + ", count " + std::to_string(count) + ", rank " + std::to_string(odd_rank) +
                   " is odd");
      for (const int rank : order) world.tell(rank, "go");
      for (const Line& error : world.hear_all("error")) {
        EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
        expect_contains(error.text(), {"group 'odd'", "rank " + std::to_string(odd_rank) + " called ", ", but rank ",
                                       "operation #1"});
        expect_contains(error.text(), one.parts);
      }
      world.tell_all("next");
    }
  }
  world.end();
}

TEST(Mismatch, EachFieldWhereTheOddRankIsLast) { expect_mismatches(2, {0, 1, 2}); }
TEST(Mismatch, EachFieldWhereTheOddRankIsFirst) { expect_mismatches(1, {1, 2, 0}); }

// Who is late hides no difference between those that are there: they learn before it comes.
const RankProgram kLate("late_beside_mismatch", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  if (self.rank == 0) self.hear("go");
  int32_t out[] = {77, 77};
  const int32_t in[] = {1, 2};
  const psResult result = psAllReduce(world, in, out, 2, PS_INT32, self.rank == 2 ? PS_MAX : PS_SUM, nullptr, nullptr);
  must(out[0] == 77 && out[1] == 77, "a failing call wrote its output");
  self.say_result("error", result);
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Mismatch, WhileAnotherMemberIsLate) {
  World world("late_beside_mismatch", kRanks);
  const auto expect_both_named = [](const Line& error) {
    EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
    expect_contains(error.text(), {"all_reduce(count 2, int32, sum)", "rank 2 called all_reduce(count 2, int32, max)"});
  };
  for (const int rank : {1, 2}) expect_both_named(world.hear(rank, "error"));
  world.tell(0, "go");
  expect_both_named(world.hear(0, "error"));
  world.end();
}

// A root that has returned long ago is told in its next call.
const RankProgram kRootFirst("root_first", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<int32_t> data(kSmall, 4);
  if (self.rank == 0) {
    ok(psBroadcast(world, data.data(), data.data(), kSmall, PS_INT32, 0, nullptr, nullptr));
    self.say("returned");
  }
  self.hear("go");
  std::vector<int32_t> out(kSmall, 77);
  const psResult result = self.rank == 0 ? psBarrier(world, nullptr)
                                         : psBroadcast(world, nullptr, out.data(), kSmall - (self.rank == 2 ? 1 : 0),
                                                       PS_INT32, 0, nullptr, nullptr);
  if (self.rank == 1 && result == PS_OK) {
    must(out == data, "the broadcast is wrong");
    self.say_result("error", psBarrier(world, nullptr));
  } else {
    must(out == std::vector<int32_t>(kSmall, 77), "a failing call wrote its output");
    self.say_result("error", result);
  }
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Mismatch, RootThatHadReturned) {
  World world("root_first", 3);
  world.hear(0, "returned");
  for (const int rank : {2, 1, 0}) world.tell(rank, "go");
  for (const Line& error : world.hear_all("error")) {
    EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
    expect_contains(error.text(),
                    {"rank 2 called broadcast(count 5, int32, root 0)", "called broadcast(count 6, int32, root 0)"});
  }
  world.end();
}

// Memory that is read where it is: a rank that waits for somebody writes nothing while that one may differ. Who reads
// little waits for the root alone, and may have returned.
const RankProgram kLent("lent_mismatch", [](const Rank& self) {
  psContext context = self.join();
  for (const bool scatters : {false, true}) {
    for (const size_t count : {kLendable, kLarge}) {
      const int32_t ranks[] = {0, 1, 2};
      psGroupOptions options = PS_GROUP_OPTIONS_INIT;
      options.flags = PS_OWN_COMMUNICATOR;
      psGroup group = nullptr;
      ok(psNewGroup(context, ranks, kRanks, &options, &group));
      void* memory = nullptr;
      ok(psMemAlloc(group, (kRanks + 1) * count * sizeof(int32_t), PS_DEVICE_HOST, &memory));
      auto* const send = static_cast<int32_t*>(memory);
      const std::span<int32_t> recv(send + kRanks * count, count);
      const auto holds = [&](int32_t value) {
        return std::ranges::all_of(recv, [value](int32_t number) { return number == value; });
      };
      std::fill_n(send, kRanks * count, 7);
      self.hear("go");
      psResult result = PS_OK;
      if (self.rank == 2) {
        result = psBarrier(group, nullptr);
      } else {
        psWork work = nullptr;
        ok(scatters ? psScatter(group, send, recv.data(), count, PS_INT32, 0, nullptr, &work)
                    : psBroadcast(group, send, recv.data(), count, PS_INT32, 0, nullptr, &work));
        for (int i = 0; i < 50; ++i) psWorkTest(work);
        // Where ranks share CPUs so small a broadcast is copied, and its root waits for nobody.
        const bool waits = count == kLarge || (self.rank == 0 && scatters);
        must(!waits || holds(0), "an output was written before the calls were compared");
        self.say("called");
        result = psWorkWait(work, -1);
        must(holds(result == PS_OK ? 7 : 0), "a failing call wrote its output");
        ok(psWorkFree(work));
        if (result == PS_OK) result = psBarrier(group, nullptr);
      }
      self.say_result("error", result);
      self.hear("next");
      ok(psGroupFree(group));
    }
  }
  ok(psFinalize(context));
});

TEST(Mismatch, WhereBuffersAreLent) {
  World world("lent_mismatch", kRanks);
  for (const char* operation : {"broadcast", "scatter"}) {
    for (const size_t count : {kLendable, kLarge}) {
      SCOPED_TRACE(std::string(operation) + ", count " + std::to_string(count));
      for (const int rank : {0, 1}) {
        world.tell(rank, "go");
        world.hear(rank, "called");
      }
      world.tell(2, "go");
      for (const Line& error : world.hear_all("error")) {
        EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
        expect_contains(error.text(), {"rank 2 called barrier()", std::string("called ") + operation + "(count "});
      }
      world.tell_all("next");
    }
  }
  world.end();
}

// Groups of equal members share one order; a rank that is on the other one is told so.
const RankProgram kOtherGroup("other_group", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t ranks[] = {0, 1};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  psGroup groups[2] = {};
  for (psGroup& group : groups) {
    options.name = &group == groups ? "left" : "right";
    ok(psNewGroup(context, ranks, 2, &options, &group));
  }
  self.say_result("error", psBarrier(groups[self.rank], nullptr));
  for (const psGroup group : groups) ok(psGroupFree(group));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Mismatch, AnotherGroupOfTheSameMembers) {
  World world("other_group", 2);
  for (const Line& error : world.hear_all("error")) {
    EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
    expect_contains(error.text(),
                    {"rank 0 called barrier()", "rank 1 called barrier()", "another group of the same members"});
  }
  world.end();
}

// Messages: the receiver sees it, and the sender is told in its next call on the group.
const RankProgram kMessages("message_mismatch", [](const Rank& self) {
  psContext context = self.join();
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "pair";
  options.flags = PS_OWN_COMMUNICATOR;
  const int32_t ranks[] = {0, 1};
  for (const size_t count : {kSmall, kLarge}) {
    for (const bool wrong_type : {false, true}) {
      psGroup group = nullptr;
      ok(psNewGroup(context, ranks, 2, &options, &group));
      Buffers buffers(count);
      psResult result = PS_OK;
      if (self.rank == 0) {
        result = psSend(group, buffers.send.data(), count, PS_INT32, 1, 3, nullptr, nullptr);
        if (result == PS_OK) result = psBarrier(group, nullptr);
      } else {
        result = psRecv(group, buffers.recv.data(), wrong_type ? count : count - 1, wrong_type ? PS_FLOAT32 : PS_INT32,
                        0, 3, nullptr, nullptr);
        must(buffers.untouched(), "a failing receive wrote its buffer");
      }
      self.say_result("error", result);
      self.hear("next");
      ok(psGroupFree(group));
    }
  }
  ok(psFinalize(context));
});

TEST(Mismatch, MessagesOfAnotherCountOrType) {
  World world("message_mismatch", 2);
  for (const size_t count : {kSmall, kLarge}) {
    for (const bool wrong_type : {false, true}) {
      const std::string sent = "send(count " + std::to_string(count) + ", int32, to 1)";
      const std::string received = "recv(count " + std::to_string(wrong_type ? count : count - 1) + ", " +
                                   (wrong_type ? "float32" : "int32") + ", from 0)";
      for (const Line& error : world.hear_all("error")) {
        EXPECT_EQ(error.code(), "PS_ERR_MISMATCH");
        expect_contains(error.text(), {"rank 0 called " + sent, "rank 1 called " + received, "tag 3"});
      }
      world.tell_all("next");
    }
  }
  world.end();
}

}  // namespace
}  // namespace faults
