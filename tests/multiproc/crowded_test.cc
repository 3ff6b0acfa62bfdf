// Where ranks outnumber the CPUs that they may use, by affinity or by a control group's quota, waiting starts at yield:
// worlds that are bound in one way and another, and what psDescribe says of them.
#include <gtest/gtest.h>
#include <sched.h>
#include <stdlib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control_group.h"
#include "world.h"

namespace ps_test {
namespace {

using Json = nlohmann::json;

// What a rank may use, and what it is to find.
struct Bound {
  std::vector<int> cpus;
  std::string control_group;  // "": as it is
  bool is_crowded = false;    // as this rank waits
  bool is_any_crowded = false;  // as all members choose algorithms
};

std::string as_argument(const std::vector<Bound>& ranks) {
  Json list = Json::array();
  for (const Bound& rank : ranks) list.push_back({rank.cpus, rank.control_group, rank.is_crowded, rank.is_any_crowded});
  return list.dump();
}

const Body crowded("crowded", [](Member& member) {
  const Json own = Json::parse(member.argument).at(static_cast<size_t>(member.rank));
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  for (const int cpu : own.at(0)) CPU_SET(cpu, &cpus);
  require(::sched_setaffinity(0, sizeof cpus, &cpus) == 0, "sched_setaffinity failed");
  if (const std::string group = own.at(1); !group.empty()) move_into(group);
  psContext context = join(member.rendezvous + "-bound", member.rank, member.size);
  const Json found = Json::parse(described(context));
  const bool is_crowded = own.at(2);
  require(found["waiting"]["more_ranks_than_cpus"] == is_crowded, found["waiting"].dump());
  require((found["waiting"]["pauses"] == 0) == is_crowded, found["waiting"].dump());
  require(found["waiting"]["yields"] > 0, found["waiting"].dump());
  require(found["crowded"] == own.at(3), "crowded: " + found["crowded"].dump());
  require_ok(psFinalize(context));
});

std::vector<int> allowed_cpus() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  std::vector<int> cpus;
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
  }
  return cpus;
}

// Under a quota everybody is crowded, however they are bound.
int usable_cpus() {
  psBytes bytes = nullptr;
  const void* data = nullptr;
  require_ok(psGetLibraryInfo(&bytes));
  require_ok(psBytesAt(bytes, 0, &data, nullptr, nullptr));
  const int usable = Json::parse(static_cast<const char*>(data))["cpu"]["usable_cores"];
  require_ok(psBytesFree(bytes));
  return usable;
}

class Crowded : public testing::Test {
 protected:
  void SetUp() override {
    cpus_ = allowed_cpus();
    if (cpus_.empty()) GTEST_SKIP() << "this process has CPUs beyond what sched_getaffinity says";
  }
  bool has_two() const { return cpus_.size() >= 2 && usable_cpus() >= 2; }
  static void run(const std::vector<Bound>& ranks, bool threads_too = true) {
    run_world(crowded, Ranks::kProcesses, static_cast<int>(ranks.size()), as_argument(ranks));
    if (threads_too) run_world(crowded, Ranks::kThreads, static_cast<int>(ranks.size()), as_argument(ranks));
  }

  std::vector<int> cpus_;
};

constexpr const char* kTooFew = "this machine lets a process use one CPU alone";

TEST_F(Crowded, RanksOnOneCpuAre) {
  run({{{cpus_[0]}, "", true, true}, {{cpus_[0]}, "", true, true}});
}

TEST_F(Crowded, RanksOnCpusOfTheirOwnAreNot) {
  if (!has_two()) GTEST_SKIP() << kTooFew;
  run({{{cpus_[0]}, "", false, false}, {{cpus_[1]}, "", false, false}});
}

TEST_F(Crowded, RanksThatShareEnoughCpusAreNot) {
  if (!has_two()) GTEST_SKIP() << kTooFew;
  const std::vector<int> both = {cpus_[0], cpus_[1]};
  run({{both, "", false, false}, {both, "", false, false}});
  run({{both, "", true, true}, {both, "", true, true}, {both, "", true, true}});
}

// Three on two CPUs, of which two have but one.
TEST_F(Crowded, OneCpuWithTwoRanksIsEnough) {
  if (!has_two()) GTEST_SKIP() << kTooFew;
  run({{{cpus_[0]}, "", true, true}, {{cpus_[1]}, "", true, true}, {{cpus_[1]}, "", true, true}});
}

// CPUs enough, and time for one of them.
TEST_F(Crowded, RanksUnderAQuotaAre) {
  if (!has_two()) GTEST_SKIP() << kTooFew;
  const ControlGroup group("cpu", {"cpu.cfs_quota_us", "cpu.max"});
  if (!group.exists()) GTEST_SKIP() << "no control group for CPUs can be made here (root and a writable one needed)";
  const std::string old = group.path() + "/cpu.cfs_quota_us";
  const bool is_old = ::access(old.c_str(), F_OK) == 0;
  std::ofstream(is_old ? old : group.path() + "/cpu.max") << (is_old ? "100000" : "100000 100000") << std::flush;
  // The one that has it waits otherwise; algorithms are the same on all.
  run({{{cpus_[0]}, "", false, true}, {{cpus_[1]}, group.path(), true, true}}, false);
  run({{{cpus_[0]}, group.path(), true, true}, {{cpus_[1]}, group.path(), true, true}}, false);
}

// The argument: PS_SPIN_US, and what it comes to.
const Body spinning("spinning", [](Member& member) {
  const std::string& argument = member.argument;
  ::setenv("PS_SPIN_US", argument.substr(0, argument.find(' ')).c_str(), 1);
  const std::string rendezvous = member.rendezvous + "-spinning";
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_HOST_ONLY;
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = rendezvous.c_str();
  psContext context = nullptr;
  require_ok(psInit(&config, &context));
  const Json waiting = Json::parse(described(context))["waiting"];
  require(waiting["spin_us"] == std::stoi(argument.substr(argument.find(' ') + 1)), waiting.dump());
  require((waiting["yields"] > 0) == !argument.starts_with("0"), waiting.dump());
  require_ok(psFinalize(context));
});

TEST(SpinUs, IsWhatWaitingIsDividedBy) {
  for (const char* argument : {"0 0", "7 7", "1000000 1000000", " 40"}) {
    run_world(spinning, Ranks::kProcesses, 2, argument);
  }
}

}  // namespace
}  // namespace ps_test
