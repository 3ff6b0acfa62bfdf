// Every algorithm that can run a call gives what the others give; rules from psConfig and from the environment decide which
// one runs, psDescribe says so, and ranks whose rules differ are told before anything else happens.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>
#include <vector>

#include "run_case.h"
#include "world.h"

namespace ps_test {
namespace {

using Json = nlohmann::json;

psResult init(const Member& member, const char* rules, bool by_environment, psContext* context) {
  const std::string meeting = member.rendezvous + "-rules";
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_HOST_ONLY | (by_environment ? 0 : PS_NO_ENVIRONMENT);
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = meeting.c_str();
  config.backend = ::getenv("PS_TEST_BACKEND");  // NULL: chosen by the library
  config.timeout_ms = 90'000;
  config.init_timeout_ms = 60'000;
  if (by_environment) {
    ::setenv("PS_DISPATCH", rules, 1);
  } else {
    config.dispatch = rules;
  }
  return psInit(&config, context);
}

Json describe(psContext context) { return Json::parse(described(context)); }

void sweep(psContext context, const Member& member) {
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  const size_t stride = kSanitized ? 43 : 1;
  Sweep(world, member.rank, member.size).run(small_cases(member.size, 2, 59 * stride));
  Sweep(world, member.rank, member.size).run(large_cases(member.size, 1, 5 * stride));
  require_ok(psGroupFree(world));
}

const Body under_rules("under_rules", [](Member& member) {
  psContext context = nullptr;
  require_ok(init(member, member.argument.c_str(), false, &context));
  sweep(context, member);
  require_ok(psFinalize(context));
});

TEST(Dispatch, EveryAlgorithmRunsWhatItCan) {
  for (const char* rules : {"*=one-shot", "*=tree", "*=pipeline", "*=single-copy", "all_reduce=two-shot",
                            "*:<=100=pipeline;all_reduce:<=3K=two-shot"}) {
    for (const int size : {2, 5}) run_world(under_rules, Ranks::kThreads, size, rules);
    run_world(under_rules, Ranks::kProcesses, 3, rules);
  }
}

// Sums in place, in memory that every rank reaches and so could read while they are written.
const Body in_place("in_place", [](Member& member) {
  constexpr size_t kMost = 300'000;
  psContext context = nullptr;
  require_ok(init(member, member.argument.c_str(), false, &context));
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  void* memory = nullptr;
  require_ok(psMemAlloc(world, kMost * sizeof(int32_t), PS_DEVICE_HOST, &memory));
  auto* const data = static_cast<int32_t*>(memory);
  for (int32_t round = 0; round < 20; ++round) {
    const size_t count = round % 2 == 0 ? 20'000 : kMost;
    for (size_t i = 0; i < count; ++i) data[i] = member.rank * 1000 + round + static_cast<int32_t>(i);
    require_ok(psAllReduce(world, data, data, count, PS_INT32, PS_SUM, nullptr, nullptr));
    const int32_t ranks = member.size;
    size_t right = 0;
    while (right < count && data[right] == ranks * (ranks - 1) / 2 * 1000 + ranks * (round + static_cast<int32_t>(right))) {
      ++right;
    }
    require(right == count, "round " + std::to_string(round) + ": element " + std::to_string(right) + " is wrong");
  }
  require_ok(psMemFree(world, memory));
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

TEST(Dispatch, SumsInPlaceInMemoryThatAllReach) {
  for (const char* rules : {"*=one-shot", "*=pipeline", "all_reduce=two-shot"}) {
    for (const int size : {2, 3}) run_world(in_place, Ranks::kThreads, size, rules);
    run_world(in_place, Ranks::kProcesses, 2, rules);
  }
}

// Many pieces in little shared memory, with ranks that come when they like, lend their buffers or not, and broadcast
// through the same rings in between.
const Body at_their_own_pace("at_their_own_pace", [](Member& member) {
  constexpr size_t kMost = 400'000;
  psContext context = nullptr;
  require_ok(init(member, member.argument.c_str(), false, &context));
  std::vector<int32_t> ranks(static_cast<size_t>(member.size));
  std::iota(ranks.begin(), ranks.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.host_buffer_bytes = 1 << 20;
  psGroup group = nullptr;
  require_ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
  void* memory = nullptr;
  require_ok(psMemAlloc(group, 2 * kMost * sizeof(int32_t), PS_DEVICE_HOST, &memory));
  std::vector<int32_t> plain(2 * kMost);
  std::mt19937 alike(20261122);                              // the same on all ranks
  std::mt19937 own(static_cast<unsigned>(member.rank) + 1);  // each rank's
  for (int32_t round = 0; round < (kSanitized ? 20 : 60); ++round) {
    const size_t count = 1 + alike() % kMost;
    const bool in_place = alike() % 3 == 0;
    const auto root = static_cast<int32_t>(alike() % static_cast<unsigned>(member.size));
    int32_t* const in = own() % 2 == 0 ? static_cast<int32_t*>(memory) : plain.data();
    int32_t* const out = in_place ? in : in + kMost;
    for (size_t i = 0; i < count; ++i) in[i] = member.rank * 1000 + round + static_cast<int32_t>(i);
    ::usleep(own() % 300);
    require_ok(psAllReduce(group, in, out, count, PS_INT32, PS_SUM, nullptr, nullptr));
    const int32_t size = member.size;
    size_t right = 0;
    while (right < count && out[right] == size * (size - 1) / 2 * 1000 + size * (round + static_cast<int32_t>(right))) ++right;
    require(right == count, "round " + std::to_string(round) + ": element " + std::to_string(right) + " is wrong");
    if (round % 3 == 0) continue;
    const size_t part = count / 2;
    if (member.rank == root) std::fill_n(out, part, round);
    require_ok(psBroadcast(group, out, out, part, PS_INT32, root, nullptr, nullptr));
    require(std::count(out, out + part, round) == static_cast<std::ptrdiff_t>(part), "a broadcast is wrong");
  }
  require_ok(psMemFree(group, memory));
  require_ok(psGroupFree(group));
  require_ok(psFinalize(context));
});

TEST(Dispatch, RanksComeAtTheirOwnPace) {
  for (const char* rules : {"all_reduce=two-shot;*=pipeline", "*=pipeline"}) {
    for (const int size : {2, 4}) run_world(at_their_own_pace, Ranks::kThreads, size, rules);
    run_world(at_their_own_pace, Ranks::kProcesses, 3, rules);
  }
}

const Body by_environment("by_environment", [](Member& member) {
  psContext context = nullptr;
  require_ok(init(member, "broadcast:shm:<=2ranks=pipeline; reduce:shm:<= 1024=pipeline;*=two-shot", true, &context));
  sweep(context, member);
  const Json json = describe(context);
  require(json["configuration"]["dispatch"] == "broadcast:shm:<=2ranks=pipeline;reduce:shm:<=1K=pipeline;*:*=two-shot",
          json["configuration"]["dispatch"].dump());
  require(json["dispatch"][1]["max_bytes"] == 1024 && json["dispatch"][1]["from"] == "rule", json["dispatch"].dump());
  const Json& in_force = json["communicators"][0]["dispatch"];
  // Two-shot can run all_reduce alone, and three ranks are no group of two.
  require(in_force["all_reduce"] == "two-shot", in_force.dump());
  require(in_force["broadcast"] == "<=16K one-shot, pipeline", in_force.dump());
  require(in_force["reduce"] == "<=1K pipeline, <=64K one-shot, pipeline", in_force.dump());
  require_ok(psFinalize(context));
});

TEST(Dispatch, TheEnvironmentDecidesAndPsDescribeShowsWhatIsInForce) { run_world(by_environment, Ranks::kProcesses, 3); }

const Body cut_by_slots("cut_by_slots", [](Member& member) {
  psContext context = nullptr;
  require_ok(init(member, "*=one-shot", false, &context));
  const Json json = describe(context);
  // A slot is the most that one-shot can carry.
  require(json["communicators"][0]["dispatch"]["all_reduce"] == "<=64K one-shot, two-shot", json.dump());
  require_ok(psFinalize(context));
});

TEST(Dispatch, ARuleIsCutToWhatItsAlgorithmCan) { run_world(cut_by_slots, Ranks::kThreads, 2); }

const Body ranks_differ("ranks_differ", [](Member& member) {
  psContext context = nullptr;
  const psResult result = init(member, member.rank == 2 ? "*=pipeline" : "all_reduce=two-shot", false, &context);
  require_error(result, PS_ERR_MISMATCH, "rank 2 has the dispatch rules \"*:*=pipeline\", rank 0 has \"all_reduce:*=two-shot\"");
});

TEST(Dispatch, RanksThatDifferAreAllTold) {
  run_world(ranks_differ, Ranks::kThreads, 3);
  run_world(ranks_differ, Ranks::kProcesses, 3);
}

const Body written_differently("written_differently", [](Member& member) {
  psContext context = nullptr;
  require_ok(init(member, member.rank == 1 ? " all_reduce = two-shot ;" : "all_reduce:*=two-shot", false, &context));
  require_ok(psFinalize(context));
});

TEST(Dispatch, RulesThatAreWrittenDifferentlyAndMeanTheSameAgree) { run_world(written_differently, Ranks::kProcesses, 2); }

const Body over_the_network("over_the_network", [](Member& member) {
  const std::string meeting = member.rendezvous + "-network";
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_HOST_ONLY | PS_NO_ENVIRONMENT;
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = meeting.c_str();
  config.backend = "gloo";
  psContext context = nullptr;
  require_ok(psInit(&config, &context));
  const Json in_force = describe(context)["communicators"][0]["dispatch"];
  require(in_force["all_reduce"] == (member.size == 2 ? "<=64K one-shot, two-shot" : "<=8K one-shot, two-shot"), in_force.dump());
  require(in_force["reduce_scatter"] == (member.size == 2 ? "<=128K one-shot, pipeline" : "<=192K one-shot, pipeline"),
          in_force.dump());
  require(in_force["all_to_all_v"] == "pipeline" && in_force["barrier"] == "one-shot", in_force.dump());
  require_ok(psFinalize(context));
});

bool runs_over_gloo() {
  const char* backend = ::getenv("PS_TEST_BACKEND");
  return backend != nullptr && std::string(backend) == "gloo";
}

TEST(Dispatch, OverTheNetworkPsDescribeShowsWhatRuns) {
  if (!runs_over_gloo()) GTEST_SKIP() << "only where the tests run over Gloo";
  for (const int size : {2, 3}) run_world(over_the_network, Ranks::kProcesses, size);
}

const Body rules_of_the_network("rules_of_the_network", [](Member& member) {
  psContext context = nullptr;
  require_ok(init(member, member.argument.c_str(), false, &context));
  sweep(context, member);
  const Json in_force = describe(context)["communicators"][0]["dispatch"];
  if (member.argument == "*:net:<=1K=one-shot;all_gather:net=pipeline;all_reduce:net=two-shot") {
    require(in_force["all_reduce"] == "<=1K one-shot, two-shot", in_force.dump());
    require(in_force["all_gather"] == "<=1K one-shot, pipeline", in_force.dump());
    require(in_force["broadcast"] == "<=64K one-shot, pipeline", in_force.dump());
    require(in_force["all_to_all_v"] == "pipeline", in_force.dump());
  } else if (member.argument == "*:net=one-shot") {
    require(in_force["all_reduce"] == "<=64K one-shot, two-shot", in_force.dump());
  } else {
    require(in_force["all_reduce"] == "two-shot" && in_force["broadcast"] == "pipeline", in_force.dump());
    require(in_force["barrier"] == "one-shot", in_force.dump());
  }
  require_ok(psFinalize(context));
});

TEST(Dispatch, OverTheNetworkRulesDecide) {
  if (!runs_over_gloo()) GTEST_SKIP() << "only where the tests run over Gloo";
  for (const char* rules : {"*:net:<=1K=one-shot;all_gather:net=pipeline;all_reduce:net=two-shot", "*:net=one-shot",
                            "*:net=pipeline;all_reduce:net=two-shot"}) {
    run_world(rules_of_the_network, Ranks::kProcesses, 3, rules);
  }
}

const Body wrong("wrong", [](Member& member) {
  psContext context = nullptr;
  require_error(init(member, "all_reduce=fast", false, &context), PS_ERR_ARGUMENT,
                "psConfig.dispatch=\"all_reduce=fast\": at character 12, \"fast\" is no algorithm");
});

TEST(Dispatch, AWrongRuleIsRefusedWithItsPlace) { run_world(wrong, Ranks::kThreads, 1); }

}  // namespace
}  // namespace ps_test
