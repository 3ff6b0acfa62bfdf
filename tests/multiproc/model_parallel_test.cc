// The groups of a layout, alive: every golden layout of up to 16 ranks is formed, and every group of it sums its ranks.
#include <gtest/gtest.h>
#include <dirent.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

using nlohmann::json;

const json& golden() {
  static const json cases = [] {
    std::ifstream file(PS_SOURCE_DIR "/tests/golden/layouts.json");
    return json::parse(file);
  }();
  return cases;
}

psResult find_group(const Member& member, const std::string& name, psGroup* group) {
  return psGetGroup(member.context, name.c_str(), group);
}

int64_t sum_over(psGroup group, int64_t own) {
  int64_t sum = 0;
  require_ok(psAllReduce(group, &own, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr));
  return sum;
}

// The group of this name has these members in this order, and works.
void check_group(const Member& member, const std::string& name, const std::vector<int32_t>& expected) {
  psGroup group = nullptr;
  if (name.find('-') == std::string::npos) {
    require_ok(find_group(member, name, &group));
  } else {  // merged axes are planned by name, and made from the plan's members
    require_ok(psNewGroup(member.context, expected.data(), expected.size(), nullptr, &group));
  }
  std::vector<int32_t> ranks(expected.size());
  size_t count = 0;
  require_ok(psGroupGlobalRanks(group, ranks.data(), ranks.size(), &count));
  require(count == expected.size() && ranks == expected, "wrong members of " + name);
  const int32_t self = member.rank;
  std::vector<int32_t> gathered(expected.size());
  require_ok(psAllGather(group, &self, gathered.data(), 1, PS_INT32, nullptr, nullptr));
  require(gathered == expected, "wrong order in " + name);
  int64_t sum = 0;
  for (const int32_t rank : expected) sum += rank;
  require(sum_over(group, member.rank) == sum, "wrong sum in " + name);
  require_ok(psGroupFree(group));
}

void check_case(const Member& member, const json& expected) {
  for (const auto& [name, groups] : expected["groups"].items()) {
    bool is_member = false;
    for (const auto& group : groups) {
      const auto ranks = group.get<std::vector<int32_t>>();
      if (std::find(ranks.begin(), ranks.end(), member.rank) == ranks.end()) continue;
      is_member = true;
      check_group(member, name, ranks);
    }
    psGroup none = nullptr;
    if (!is_member) require_error(find_group(member, name, &none), PS_ERR_NOT_FOUND, "is in no group '" + name + "'");
  }
}

const Body every_golden_layout("every_golden_layout", [](Member& member) {
  int formed = 0;
  for (const json& expected : golden()) {
    if (expected["world"] != member.size || expected.contains("error")) continue;
    if (kSanitized && ++formed > 6) break;
    require_ok(psInitModelParallel(member.context, expected["spec"].get<std::string>().c_str(), nullptr));
    check_case(member, expected);
    require_ok(psDestroyModelParallel(member.context));
  }
});

psGroup get(const Member& member, const char* name) {
  psGroup group = nullptr;
  require_ok(psGetGroup(member.context, name, &group));
  return group;
}

const Body lifecycle("lifecycle", [](Member& member) {
  int32_t there = -1;
  psGroup none = nullptr;
  psWorldInfo info = PS_WORLD_INFO_INIT;
  require_ok(psModelParallelIsInitialized(member.context, &there));
  require(there == 0, "there is a layout already");
  require_error(psGetGroup(member.context, "tp", &none), PS_ERR_NOT_FOUND, "psInitModelParallel makes those of a layout");
  require_ok(psDestroyModelParallel(member.context));
  require_error(psInitModelParallel(member.context, "sglang:tp=3", nullptr), PS_ERR_ARGUMENT, "tp=3 is not world 4");

  require_ok(psEnsureModelParallel(member.context, "sglang:tp=2,pp=*", nullptr));
  require_ok(psModelParallelIsInitialized(member.context, &there));
  require(there == 1, "there is no layout");
  require_ok(psEnsureModelParallel(member.context, "sglang:pp=2,tp=2", nullptr));
  require_error(psEnsureModelParallel(member.context, "sglang:tp=4", nullptr), PS_ERR_STATE,
                "'sglang:tp=2,pp=2' is there, 'sglang:tp=4' is wanted (tp=2 and tp=4, pp=2 and no pp)");
  require_error(psInitModelParallel(member.context, "sglang:tp=4", nullptr), PS_ERR_STATE,
                "the groups of layout 'sglang:tp=2,pp=2' exist already");
  require_error(psGetGroup(member.context, "ep", &none), PS_ERR_NOT_FOUND, "there is: world, tp, attn_cp");

  require_ok(psGetWorldInfo(member.context, &info));
  require(std::string(info.layout_spec) == "sglang:tp=2,pp=2", "wrong spec in psWorldInfo");
  require(std::string(info.worker_suffix) ==
              "pp" + std::to_string(member.rank / 2) + "_tp" + std::to_string(member.rank % 2),
          "wrong worker suffix");
  psGroup tp = get(member, "tp");
  psGroup alias = get(member, "attn_tp");
  psGroup pp = get(member, "pp");
  require(sum_over(alias, member.rank) == (member.rank < 2 ? 1 : 5), "wrong sum through an alias");

  // A message down the pipeline.
  int64_t message = member.rank + 100;
  if (member.rank < 2) {
    require_ok(psSend(pp, &message, 1, PS_INT64, 1, 3, nullptr, nullptr));
  } else {
    require_ok(psRecv(pp, &message, 1, PS_INT64, 0, 3, nullptr, nullptr));
    require(message == member.rank - 2 + 100, "wrong message");
  }

  // What the caller holds outlives the layout.
  require_ok(psDestroyModelParallel(member.context));
  require(sum_over(tp, 1) == 2, "wrong sum after the layout is gone");
  require_error(psGetGroup(member.context, "tp", &none), PS_ERR_NOT_FOUND, "there is: world;");
  require(std::string(info.layout_spec) == "sglang:tp=2,pp=2", "a text of the world has gone");
  for (psGroup group : {tp, alias, pp}) require_ok(psGroupFree(group));
});

// Names with equal members have one communicator; others, and psNewGroup, go on beside them.
const Body sharing("sharing", [](Member& member) {
  psModelParallelOptions options = PS_MODEL_PARALLEL_OPTIONS_INIT;
  options.flags = PS_WARM_UP;
  require_ok(psInitModelParallel(member.context, "megatron:tp=2", &options));
  psBytes bytes = nullptr;
  require_ok(psDescribe(member.context, &bytes));
  const void* data = nullptr;
  require_ok(psBytesAt(bytes, 0, &data, nullptr, nullptr));
  const json found = json::parse(static_cast<const char*>(data));
  require_ok(psBytesFree(bytes));
  // Of 19 names: pairs along tp, pairs along dp, everybody, and oneself.
  require(found["model_parallel"]["communicators"] == 4, "names with equal members do not share");
  require(found["model_parallel"]["spec"] == "megatron:tp=2", "the layout is not described");
  int named = 0;
  for (const auto& group : found["groups"]) named += group["name"] == "tp_ep_pp" ? 1 : 0;
  require(named == 1, "a group of the layout is not described");

  psGroup tp = get(member, "tp");
  psGroup mp = get(member, "mp");
  psGroup dp = get(member, "dp");
  psWork work = nullptr;
  int64_t sum = member.rank;
  require_ok(psAllReduce(dp, &sum, &sum, 1, PS_INT64, PS_SUM, nullptr, &work));
  require(sum_over(tp, 1) == 2 && sum_over(mp, 2) == 4, "wrong sums on one communicator");
  require_ok(psWorkWait(work, -1));
  require_ok(psWorkFree(work));
  require(sum == (member.rank % 2 == 0 ? 2 : 4), "wrong sum along dp");
  const std::vector<int32_t> pair = {member.rank / 2 * 2, member.rank / 2 * 2 + 1};
  psGroup mine = nullptr;
  require_ok(psNewGroup(member.context, pair.data(), pair.size(), nullptr, &mine));
  require(sum_over(mine, 3) == 6, "wrong sum in a group of one's own");
  for (psGroup group : {tp, mp, dp, mine}) require_ok(psGroupFree(group));
});

const Body ranks_that_differ("ranks_that_differ", [](Member& member) {
  const char* spec = member.rank == 3 ? "sglang:tp=4" : "sglang:tp=2,pp=2";
  require_error(psInitModelParallel(member.context, spec, nullptr), PS_ERR_MISMATCH,
                "rank 3 says 'sglang:tp=4', rank 0 says 'sglang:tp=2,pp=2' (tp=4 and tp=2, no pp and pp=2)");
  psModelParallelOptions options = PS_MODEL_PARALLEL_OPTIONS_INIT;
  options.flags = member.rank == 2 ? PS_DETERMINISTIC : 0;
  require_error(psInitModelParallel(member.context, "sglang:tp=4", &options), PS_ERR_MISMATCH, "rank 2 has flags 0x1");
  // Nothing is left of the attempts.
  require_ok(psInitModelParallel(member.context, "sglang:tp=4", nullptr));
  psGroup tp = get(member, "tp");
  require(sum_over(tp, 1) == 4, "wrong sum after attempts that failed");
  require_ok(psGroupFree(tp));
});

const Body refusals("model_parallel_refusals", [](Member& member) {
  psModelParallelOptions options = PS_MODEL_PARALLEL_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  require_error(psInitModelParallel(member.context, "sglang:tp=2", &options), PS_ERR_ARGUMENT, "flags");
  options.flags = 0;
  options.backend_options = "tp:priority=high";
  require_error(psInitModelParallel(member.context, "sglang:tp=2", &options), PS_ERR_ARGUMENT, "backend_options");
  options = PS_MODEL_PARALLEL_OPTIONS_INIT;
  options.timeout_ms = -5;
  require_error(psInitModelParallel(member.context, "sglang:tp=2", &options), PS_ERR_ARGUMENT, "timeout_ms");
  require_error(psInitModelParallel(member.context, nullptr, nullptr), PS_ERR_ARGUMENT, "PS_LAYOUT");
  require_error(psModelParallelIsInitialized(member.context, nullptr), PS_ERR_ARGUMENT, "initialized");
});

size_t entries(const char* folder) {
  size_t count = 0;
  DIR* opened = ::opendir(folder);
  while (::readdir(opened) != nullptr) ++count;
  ::closedir(opened);
  return count;
}

size_t mappings() {
  std::ifstream file("/proc/self/maps");
  size_t count = 0;
  for (std::string line; std::getline(file, line);) ++count;
  return count;
}

// A hundred layouts leave no descriptor, and no mapping that grows with them.
const Body a_hundred_times("a_hundred_times", [](Member& member) {
  const auto once = [&] {
    require_ok(psInitModelParallel(member.context, "megatron:tp=2,pp=2", nullptr));
    psGroup tp = get(member, "tp");
    require(sum_over(tp, 1) == 2, "wrong sum");
    require_ok(psGroupFree(tp));
    require_ok(psDestroyModelParallel(member.context));
    require_ok(psBarrier(member.world, nullptr));
  };
  for (int i = 0; i < 5; ++i) once();
  const size_t descriptors = entries("/proc/self/fd");
  const size_t mapped = mappings();
  for (int i = 0; i < (kSanitized ? 20 : 100); ++i) once();
  require(entries("/proc/self/fd") <= descriptors, "descriptors are left");
  require(mappings() <= mapped + 20, "mappings are left");
});

class ModelParallel : public testing::TestWithParam<Ranks> {};

TEST_P(ModelParallel, EveryGoldenLayout) {
  for (const int size : {1, 2, 4, 6, 8, 12, 16}) run_world(every_golden_layout, GetParam(), size);
}
TEST_P(ModelParallel, Lifecycle) { run_world(lifecycle, GetParam(), 4); }
TEST_P(ModelParallel, Sharing) { run_world(sharing, GetParam(), 4); }
TEST_P(ModelParallel, RanksThatDiffer) { run_world(ranks_that_differ, GetParam(), 4); }
TEST_P(ModelParallel, Refusals) { run_world(refusals, GetParam(), 2); }
TEST(ModelParallelOfProcesses, AHundredTimes) { run_world(a_hundred_times, Ranks::kProcesses, 4); }

INSTANTIATE_TEST_SUITE_P(Over, ModelParallel, testing::Values(Ranks::kThreads, Ranks::kProcesses),
                         [](const auto& info) { return describe(info.param); });

}  // namespace
}  // namespace ps_test
