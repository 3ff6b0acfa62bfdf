// Groups of many members on one host: the tree of leaders, by the places that ranks say they have (PS_DOMAIN), in two and
// three levels of uneven blocks. Its results are those of every other algorithm.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run_case.h"
#include "world.h"

namespace ps_test {
namespace {

using Json = nlohmann::json;

// The argument: each rank's place, with spaces between; "": as they are found, which ranks that are threads have in common.
std::string place_of(const Member& member) {
  std::string place = member.argument;
  for (int i = 0; i < member.rank; ++i) place.erase(0, place.find(' ') + 1);
  return place.substr(0, place.find(' '));
}

psContext join_at_place(const Member& member, const char* rules = "*=tree", int64_t timeout_ms = 90'000) {
  if (!member.argument.empty()) ::setenv("PS_DOMAIN", place_of(member).c_str(), 1);
  const std::string meeting = member.rendezvous + "-domains";
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_HOST_ONLY;
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = meeting.c_str();
  config.timeout_ms = timeout_ms;
  config.init_timeout_ms = 60'000;
  config.dispatch = rules;
  psContext context = nullptr;
  require_ok(psInit(&config, &context));
  return context;
}

psGroup make_group(psContext context, const std::vector<int32_t>& ranks, uint64_t host_buffer_bytes = 0, int64_t timeout_ms = 0) {
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  options.host_buffer_bytes = host_buffer_bytes;
  options.timeout_ms = timeout_ms;
  psGroup group = nullptr;
  require_ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
  return group;
}

std::vector<int32_t> everyone(const Member& member) {
  std::vector<int32_t> ranks;
  for (int rank = 0; rank < member.size; ++rank) ranks.push_back(rank);
  return ranks;
}

Json describe(psContext context) { return Json::parse(described(context)); }

// Groups of all, of all in the opposite order, and of every second; with slots too small for much of the table too.
const Body sweep("sweep_of_trees", [](Member& member) {
  const psContext context = join_at_place(member);
  std::vector<int32_t> ranks = everyone(member);
  const size_t stride = kSanitized ? 701 : 83;
  const auto walk = [&](uint64_t host_buffer_bytes, size_t first) {
    psGroup group = make_group(context, ranks, host_buffer_bytes);
    psGroupInfo info = PS_GROUP_INFO_INIT;
    require_ok(psGetGroupInfo(group, &info));
    Sweep(group, info.rank, info.size).run(small_cases(info.size, first, stride));
    require_ok(psGroupFree(group));
  };
  walk(0, 0);
  walk(1, 5);
  std::reverse(ranks.begin(), ranks.end());
  walk(0, 11);
  std::erase_if(ranks, [](int32_t rank) { return rank % 2 != 0; });
  if (member.rank % 2 == 0 && ranks.size() > 1) walk(0, 17);
  require_ok(psFinalize(context));
});

// Calls that differ, each by one rank from the others', with the tree on one side at least. Who needed nobody may have
// returned, and learns in its next call.
struct Difference {
  const char* name;
  psResult (*call)(psGroup group, int rank, int size, int odd, int32_t* in, int32_t* out);
};
const Difference kDifferences[] = {
    {"another reduction",
     [](psGroup group, int rank, int, int odd, int32_t* in, int32_t* out) {
       return psAllReduce(group, in, out, 1, PS_INT32, rank == odd ? PS_MAX : PS_SUM, nullptr, nullptr);
     }},
    {"another algorithm",
     [](psGroup group, int rank, int, int odd, int32_t* in, int32_t* out) {
       return rank == odd ? psReduceScatter(group, in, out, 1, PS_INT32, PS_SUM, nullptr, nullptr)
                          : psAllReduce(group, in, out, 1, PS_INT32, PS_SUM, nullptr, nullptr);
     }},
    // A root that waits for nobody of its tree, as it is another's.
    {"each other's root",
     [](psGroup group, int rank, int size, int odd, int32_t* in, int32_t* out) {
       return psReduce(group, in, out, 1, PS_INT32, PS_SUM, rank == odd ? (odd + 1) % size : odd, nullptr, nullptr);
     }},
    {"a source of its own",
     [](psGroup group, int rank, int, int odd, int32_t* in, int32_t* out) {
       return rank == odd ? psBroadcast(group, in, out, 1, PS_INT32, rank, nullptr, nullptr) : psBarrier(group, nullptr);
     }},
    {"nothing to receive",
     [](psGroup group, int rank, int size, int odd, int32_t* in, int32_t* out) {
       return rank == odd ? psGather(group, in, out, 1, PS_INT32, (rank + 1) % size, nullptr, nullptr)
                          : psAllGather(group, in, out, 1, PS_INT32, nullptr, nullptr);
     }},
};

const Body mismatches("mismatches_in_trees", [](Member& member) {
  const psContext context = join_at_place(member);
  for (const Difference& difference : kDifferences) {
    for (int odd = 0; odd < member.size; ++odd) {
      psGroup group = make_group(context, everyone(member));
      std::vector<int32_t> in(static_cast<size_t>(member.size), 3);
      std::vector<int32_t> out(in.size(), 77);
      psResult result = difference.call(group, member.rank, member.size, odd, in.data(), out.data());
      // Whose call needs everyone cannot have succeeded without the odd one.
      const bool needs_all = std::string(difference.name) != "each other's root";
      if (needs_all && member.rank != odd) require(result != PS_OK, std::string(difference.name) + ": a call was taken for another");
      if (result != PS_OK) require(std::ranges::count(out, 77) == member.size, "a failing call wrote its output");
      if (result == PS_OK) result = psBarrier(group, nullptr);
      const std::string where = std::string(difference.name) + " on rank " + std::to_string(odd) + ": ";
      require(result == PS_ERR_MISMATCH, where + psResultName(result) + ": " + psLastError());
      require(std::string(psLastError()).find("rank " + std::to_string(odd) + " called ") != std::string::npos,
              where + psLastError());
      require_ok(psGroupFree(group));
    }
  }
  require_ok(psFinalize(context));
});

// A rank that does not come is named by all others, also by those who wait for somebody between.
const Body absent("absent_from_a_tree", [](Member& member) {
  const psContext context = join_at_place(member);
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  for (const int late : {0, member.size - 1, member.size / 2}) {
    psGroup group = make_group(context, everyone(member), 0, 30'000);
    psWork work = nullptr;
    const std::string name = "rank " + std::to_string(late) + " (pid ";
    if (member.rank != late) {
      require_ok(psBarrier(group, &work));
      // All arrive, and those between do their part, which needs no deadline that somebody might miss.
      for (std::string text; text.find("it waits for " + name) == std::string::npos; text = psLastError()) {
        require_error(psWorkWait(work, 10), PS_ERR_TIMEOUT, "this wait ran out");
      }
    }
    require_ok(psBarrier(world, nullptr));
    if (member.rank != late) {
      require_ok(psGroupSetTimeout(group, 100));
      const psResult result = psBarrier(group, nullptr);
      require_error(result, PS_ERR_TIMEOUT, "missing: " + name);
      const std::string text = psLastError();
      require(text.find("never arrived") == text.rfind("never arrived"), text);
      require(psWorkWait(work, -1) == PS_ERR_TIMEOUT, "the first barrier has another error");
      require_ok(psWorkFree(work));
    }
    require_ok(psBarrier(world, nullptr));
    require_ok(psGroupFree(group));
  }
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

const Body described("tree_in_psdescribe", [](Member& member) {
  const psContext context = join_at_place(member);
  psGroup group = make_group(context, {2, 1, 4, 3, 0});
  const Json json = describe(context);
  require(json["ranks"][1]["place"] == "0.4" && json["ranks"][2]["place"] == "0.0", json["ranks"].dump());
  const Json& communicators = json["communicators"];
  require(communicators[0]["domains"] == "((0 2 4) (1 3))", communicators.dump());
  require(communicators[1]["domains"] == "((0 2 4) (1 3))", communicators.dump());
  const Json& in_force = communicators[0]["dispatch"];
  require(in_force["all_gather"].get<std::string>().starts_with("<=6553 tree, <=64K one-shot, "), in_force.dump());
  require(in_force["all_to_all"].get<std::string>().starts_with("<=64K one-shot, "), in_force.dump());
  require_ok(psGroupFree(group));
  require_ok(psFinalize(context));
});

const Body wrong_place("wrong_place", [](Member& member) {
  ::setenv("PS_DOMAIN", "0:1", 1);
  psConfig config = PS_CONFIG_INIT;
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = "mem://wrong";
  psContext context = nullptr;
  require_error(psInit(&config, &context), PS_ERR_ARGUMENT, "PS_DOMAIN=\"0:1\"");
});

// Operations of all kinds after each other, in flight together: lines and slots are used again.
const Body in_turn("trees_in_turn", [](Member& member) {
  const psContext context = join_at_place(member, "all_reduce:<=100=tree;broadcast=tree;reduce:<=4=tree;barrier=tree");
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  const int n = member.size;
  constexpr int kRounds = kSanitized ? 30 : 200;
  constexpr int kInFlight = 5;
  struct Flight {
    int32_t sum, source, reduced;
    std::vector<int64_t> many = std::vector<int64_t>(100);
    psWork works[5] = {};
  };
  std::vector<Flight> flights(kRounds);
  const auto end = [&](int round) {
    Flight& flight = flights[static_cast<size_t>(round)];
    for (psWork work : flight.works) {
      require_ok(psWorkWait(work, -1));
      require_ok(psWorkFree(work));
    }
    const int32_t sum = n * (n - 1) / 2 + n * round;
    require(flight.sum == sum, "a wrong sum");
    require(flight.source == 7 * round, "broadcast wrongly");
    require(member.rank != round % n || flight.reduced == n - 1 + round, "reduced wrongly");
    for (const int64_t one : flight.many) require(one == sum, "a wrong sum of many");
  };
  for (int round = 0; round < kRounds; ++round) {
    Flight& flight = flights[static_cast<size_t>(round)];
    flight.sum = member.rank + round;
    flight.source = member.rank == round % n ? 7 * round : -1;
    flight.reduced = member.rank + round;
    std::ranges::fill(flight.many, member.rank + round);
    require_ok(psAllReduce(world, &flight.sum, &flight.sum, 1, PS_INT32, PS_SUM, nullptr, &flight.works[0]));
    require_ok(psBroadcast(world, &flight.source, &flight.source, 1, PS_INT32, round % n, nullptr, &flight.works[1]));
    require_ok(psReduce(world, &flight.reduced, &flight.reduced, 1, PS_INT32, PS_MAX, round % n, nullptr, &flight.works[2]));
    require_ok(psBarrier(world, &flight.works[3]));
    require_ok(psAllReduce(world, flight.many.data(), flight.many.data(), flight.many.size(), PS_INT64, PS_SUM, nullptr,
                           &flight.works[4]));
    if (round >= kInFlight) end(round - kInFlight);
  }
  for (int round = kRounds - kInFlight; round < kRounds; ++round) end(round);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

constexpr const char* kTwoLevels = "0.0 0.4 0.0 0.4 0.0";
constexpr const char* kThreeLevels = "0.0 1.8 0.0 0.4 1.8 none 1.8 0.4 1.12 0 .4";
constexpr const char* kUnknown = "none none none none none none none none none none none";

int ranks_of(const std::string& places) { return static_cast<int>(std::count(places.begin(), places.end(), ' ')) + 1; }

void run(const Body& body, const std::string& places) {
  // ThreadSanitizer looks at one process at a time.
  if (!kThreadSanitized) run_world(body, Ranks::kProcesses, ranks_of(places), places);
}

TEST(Domains, SweepOfTwoLevels) { run(sweep, kTwoLevels); }
TEST(Domains, SweepOfThreeLevels) { run(sweep, kThreeLevels); }
TEST(Domains, SweepWhereNothingIsKnown) { run(sweep, kUnknown); }
TEST(Domains, SweepOfThreads) { run_world(sweep, Ranks::kThreads, 11); }
TEST(Domains, OneAfterTheOther) {
  run(in_turn, kTwoLevels);
  run(in_turn, kThreeLevels);
}
TEST(Domains, ThreadsOneAfterTheOther) { run_world(in_turn, Ranks::kThreads, 11); }
TEST(Domains, CallsThatDiffer) {
  run(mismatches, kThreeLevels);
  run(mismatches, kUnknown);
}
TEST(Domains, WhoDoesNotComeIsNamed) { run(absent, kThreeLevels); }
TEST(Domains, PsDescribeShowsThem) { run(described, kTwoLevels); }
TEST(Domains, APlaceThatIsNoneIsRefused) { run(wrong_place, "x"); }

// Eight nodes of two caches each, as large servers have them.
TEST(Domains, SixtyFourRanks) {
  std::string places;
  for (int rank = 0; rank < 64; ++rank) {
    places += (rank == 0 ? "" : " ") + std::to_string(rank / 8) + "." + std::to_string(rank / 4);
  }
  run(in_turn, places);
}

}  // namespace
}  // namespace ps_test
