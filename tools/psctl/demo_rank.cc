// What every rank of the demonstration does, in whatever language it is written. The world has four ranks. In order:
//
//   1. psInit from the environment; print "rank R of 4, written in L, is process P".
//   2. Languages: world all_gather of 16 bytes (uint8), the language's name padded with NUL: "C++", "Python".
//   3. Groups by psNewGroup: named "tp", the one of [0,1] and [2,3] that has this rank; then named "dp", the one of
//      [0,2] and [1,3].
//   4. Sums: all_reduce (SUM) of 4 x float32, all equal to rank + 1, in tp, then in dp. Expected in every element: the
//      sum of (member + 1) over the group.
//   5. Ranks: all_gather of one int32, the world rank, in tp, then in dp. Expected: the group's members in order.
//   6. Ring: an int64 token, 0 at first, on every rank. Four times: send_recv on the world, to PS_NEXT, from PS_PREV,
//      tag 7, then add rank + 1 to what was received. Expected: 10, since each token has then been with every rank.
//   7. Pipeline: psInitModelParallel of "sglang:tp=2,pp=2". all_reduce (SUM) of one int64, rank + 1, in the layout's
//      "tp". In its "pp", the first stage (rank 0) sends that sum to PS_NEXT, tag 1, the last receives it from PS_PREV
//      in place of its own. Expected: 3, the first stage's sum, on every rank. psDestroyModelParallel.
//   8. Report: world gather to rank 0 of 11 x int64: rank, process, sum in tp, sum in dp, both ranks of tp, both of dp,
//      the token, the pipeline's sum, 1 if all of the above was as expected here, else 0. Rank 0 prints the table.
//   9. World barrier.
//  10. Unless the variable PS_DEMO_KILL is 1: psFinalize, exit 0 if all was as expected, else 1.
//  11. Rank 2 says so, waits 300 ms so that the others are seen waiting, and sends itself SIGKILL. The others call
//      psBarrier on the world until it fails, and print the code's name and psLastError. They exit 0 if all was as
//      expected and the code is PS_ERR_PEER_FAILED, else 1, after psFinalize.
//
// Everything is printed as whole lines, each flushed.
#include "demo_rank.h"

#include <parallelstate.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

namespace psctl {
namespace {

constexpr int32_t kRanks = 4;
constexpr int32_t kVictim = 2;
constexpr int32_t kRingTag = 7;
constexpr int64_t kRingTotal = 1 + 2 + 3 + 4;
constexpr char kLayout[] = "sglang:tp=2,pp=2";
constexpr int32_t kPipelineTag = 1;
constexpr int64_t kPipelineSum = 1 + 2;
constexpr size_t kNameBytes = 16;
constexpr char kLanguage[kNameBytes] = "C++";

using Members = std::array<int32_t, 2>;
using Report = std::array<int64_t, 11>;
using Names = std::vector<std::array<char, kNameBytes>>;

void check(psResult result, const char* what) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + psResultName(result) + ": " + psLastError());
}

struct Context {
  ~Context() { psFinalize(handle); }
  psContext handle = nullptr;
};

struct Group {
  ~Group() { psGroupFree(handle); }
  psGroup handle = nullptr;
};

// A group of two and what came out of it.
struct Pair {
  Pair(psContext context, const char* name, Members listed) : members(listed) {
    psGroupOptions options = PS_GROUP_OPTIONS_INIT;
    options.name = name;
    check(psNewGroup(context, members.data(), members.size(), &options, &group.handle), "psNewGroup");
  }
  void add(int32_t rank) {
    std::array<float, 4> values;
    values.fill(static_cast<float>(rank + 1));
    check(psAllReduce(group.handle, values.data(), values.data(), values.size(), PS_FLOAT32, PS_SUM, nullptr, nullptr),
          "psAllReduce");
    sum = static_cast<int64_t>(values[0]);
    const auto expected = static_cast<float>(members[0] + 1 + members[1] + 1);
    for (const float value : values) as_expected = as_expected && value == expected;
  }
  void collect(int32_t rank) {
    check(psAllGather(group.handle, &rank, gathered.data(), 1, PS_INT32, nullptr, nullptr), "psAllGather");
    as_expected = as_expected && gathered == members;
  }

  Group group;
  Members members;
  Members gathered{};
  int64_t sum = 0;
  bool as_expected = true;
};

int64_t pass_token(psGroup world, int32_t rank) {
  int64_t token = 0;
  for (int32_t hop = 0; hop < kRanks; ++hop) {
    int64_t received = 0;
    check(psSendRecv(world, &token, 1, PS_NEXT, &received, 1, PS_PREV, PS_INT64, kRingTag, nullptr, nullptr),
          "psSendRecv");
    token = received + rank + 1;
  }
  return token;
}

// The groups of a layout, by name: a sum within a stage, which the first stage then sends to the last.
int64_t run_pipeline(psContext context, int32_t rank) {
  check(psInitModelParallel(context, kLayout, nullptr), "psInitModelParallel");
  Group tp;
  Group pp;
  check(psGetGroup(context, "tp", &tp.handle), "psGetGroup");
  check(psGetGroup(context, "pp", &pp.handle), "psGetGroup");
  int64_t sum = rank + 1;
  check(psAllReduce(tp.handle, &sum, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr), "psAllReduce");
  psGroupInfo stage = PS_GROUP_INFO_INIT;
  check(psGetGroupInfo(pp.handle, &stage), "psGetGroupInfo");
  if (stage.rank == 0) {
    check(psSend(pp.handle, &sum, 1, PS_INT64, PS_NEXT, kPipelineTag, nullptr, nullptr), "psSend");
  } else {
    check(psRecv(pp.handle, &sum, 1, PS_INT64, PS_PREV, kPipelineTag, nullptr, nullptr), "psRecv");
  }
  check(psDestroyModelParallel(context), "psDestroyModelParallel");
  return sum;
}

void print_table(const std::vector<Report>& reports, const Names& names) {
  std::printf("\n");
  std::printf("rank  language  process   tp group  its sum   dp group  its sum   ring token  pipeline  as expected\n");
  for (const Report& r : reports) {
    const std::string language(names[static_cast<size_t>(r[0])].data(),
                               ::strnlen(names[static_cast<size_t>(r[0])].data(), kNameBytes));
    std::printf("%4lld  %-8s  %7lld   [%lld, %lld]    %7lld   [%lld, %lld]    %7lld   %10lld  %8lld  %s\n",
                static_cast<long long>(r[0]), language.c_str(), static_cast<long long>(r[1]),
                static_cast<long long>(r[4]), static_cast<long long>(r[5]), static_cast<long long>(r[2]),
                static_cast<long long>(r[6]), static_cast<long long>(r[7]), static_cast<long long>(r[3]),
                static_cast<long long>(r[8]), static_cast<long long>(r[9]), r[10] == 1 ? "yes" : "NO");
  }
  std::printf(
      "\nEvery rank gave its number + 1 to a sum in each of its groups; a token went round the ring and gained\n"
      "the same from every rank: 1 + 2 + 3 + 4 = %lld; in the layout %s the first stage's sum, %lld, went\n"
      "down the pipeline.\n\n",
      static_cast<long long>(kRingTotal), kLayout, static_cast<long long>(kPipelineSum));
  std::fflush(stdout);
}

[[noreturn]] void die(int32_t rank) {
  std::printf("rank %d kills its own process now (SIGKILL), while the others wait for it in a barrier\n", rank);
  std::fflush(stdout);
  const timespec pause{0, 300'000'000};
  ::nanosleep(&pause, nullptr);
  ::kill(::getpid(), SIGKILL);
  std::abort();
}

bool outlive(psGroup world, int32_t rank) {
  psResult result = PS_OK;
  while (result == PS_OK) result = psBarrier(world, nullptr);
  std::printf("rank %d got %s: %s\n", rank, psResultName(result), psLastError());
  std::fflush(stdout);
  return result == PS_ERR_PEER_FAILED;
}

bool demonstrate() {
  Context context;
  check(psInit(nullptr, &context.handle), "psInit");
  psWorldInfo info = PS_WORLD_INFO_INIT;
  check(psGetWorldInfo(context.handle, &info), "psGetWorldInfo");
  const int32_t rank = info.rank;
  if (info.world_size != kRanks) {
    throw std::runtime_error("the demonstration has four ranks, this world has " + std::to_string(info.world_size));
  }
  std::printf("rank %d of %d, written in %s, is process %d\n", rank, kRanks, kLanguage, ::getpid());
  std::fflush(stdout);
  Group world;
  check(psGetGroup(context.handle, "world", &world.handle), "psGetGroup");

  Names names(kRanks);
  check(psAllGather(world.handle, kLanguage, names.data(), kNameBytes, PS_UINT8, nullptr, nullptr), "psAllGather");

  Pair tp(context.handle, "tp", rank < 2 ? Members{0, 1} : Members{2, 3});
  Pair dp(context.handle, "dp", rank % 2 == 0 ? Members{0, 2} : Members{1, 3});
  tp.add(rank);
  dp.add(rank);
  tp.collect(rank);
  dp.collect(rank);
  const int64_t token = pass_token(world.handle, rank);
  const int64_t sum = run_pipeline(context.handle, rank);
  bool as_expected = tp.as_expected && dp.as_expected && token == kRingTotal && sum == kPipelineSum;

  const Report report = {rank,           ::getpid(),     tp.sum,         dp.sum, tp.gathered[0],
                         tp.gathered[1], dp.gathered[0], dp.gathered[1], token,
                         sum,            as_expected ? 1 : 0};
  std::vector<Report> reports(rank == 0 ? kRanks : 0);
  check(psGather(world.handle, report.data(), reports.data(), report.size(), PS_INT64, 0, nullptr, nullptr),
        "psGather");
  if (rank == 0) print_table(reports, names);
  check(psBarrier(world.handle, nullptr), "psBarrier");

  const char* kill = std::getenv("PS_DEMO_KILL");
  if (kill != nullptr && std::strcmp(kill, "1") == 0) {
    if (rank == kVictim) die(rank);
    as_expected = outlive(world.handle, rank) && as_expected;
  }
  return as_expected;
}

}  // namespace

int demo_rank() {
  try {
    return demonstrate() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

}  // namespace psctl
