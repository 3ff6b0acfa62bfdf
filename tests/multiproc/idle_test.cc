// A rank that waits costs next to nothing, however it waits: in a call, beside an asynchronous operation, for peers that
// have not come, or in no call at all. All its threads count: guardian, progress and store tick too. CPU time is
// measured, not time: a thread that spins would use thirty times the limit.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include "world.h"

namespace ps_test {
namespace {

constexpr std::chrono::milliseconds kIdle{3000};
constexpr int64_t kMostUs = (kSanitized ? 4 : 1) * 100'000;

int64_t cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * int64_t{1'000'000} + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

// What this process used since, all threads together.
class CpuTime {
 public:
  void check(const char* how) const {
    const int64_t used = cpu_us() - begin_;
    require(used <= kMostUs, std::string(how) + " used " + std::to_string(used) + " us of CPU");
    std::printf("%s: %lld us of CPU\n", how, static_cast<long long>(used));
  }

 private:
  int64_t begin_ = cpu_us();
};

// Rank 0 makes the others wait for it, in no call itself; rank 1 waits in a receive, rank 2 in a collective, rank 3 has
// an asynchronous receive in flight and no call, rank 4 waits for a key of the store.
const Body idle("idle", [](Member& member) {
  int32_t value = 0;
  psWork work = nullptr;
  psStore store = nullptr;
  require_ok(psGetStore(member.context, &store));
  require_ok(psAllReduce(member.world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr));
  if (member.rank == 3) require_ok(psRecv(member.world, &value, 1, PS_INT32, 0, 1, nullptr, &work));
  require_ok(psBarrier(member.world, nullptr));
  const CpuTime time;
  switch (member.rank) {
    case 0:
      std::this_thread::sleep_for(kIdle);
      time.check("a rank in no call, which serves the store,");
      require_ok(psStoreSet(store, "go", "1", 1, -1));
      for (const int to : {1, 3}) require_ok(psSend(member.world, &value, 1, PS_INT32, to, 1, nullptr, nullptr));
      break;
    case 1:
      require_ok(psRecv(member.world, &value, 1, PS_INT32, 0, 1, nullptr, nullptr));
      time.check("a rank in a receive");
      break;
    case 3:
      std::this_thread::sleep_for(kIdle - std::chrono::milliseconds(500));
      time.check("a rank with an asynchronous receive");
      require_ok(psWorkWait(work, -1));
      require_ok(psWorkFree(work));
      break;
    case 4: {
      psBytes bytes = nullptr;
      require_ok(psStoreGet(store, "go", -1, &bytes));
      time.check("a rank that waits for a key");
      require_ok(psBytesFree(bytes));
      break;
    }
    default: break;
  }
  require_ok(psBarrier(member.world, nullptr));
  if (member.rank == 2) time.check("a rank in a barrier");
  require_ok(psStoreFree(store));
});

TEST(Idle, ARankThatWaitsUsesNextToNoCpu) { run_world(idle, Ranks::kProcesses, 5); }

// The first rank of a world and the group that follows wait for the last one.
const Body late("late", [](Member& member) {
  const std::string meeting = member.rendezvous + "-late";
  const CpuTime time;
  if (member.rank == 1) std::this_thread::sleep_for(kIdle);
  const psContext context = join(meeting, member.rank, member.size);
  if (member.rank == 0) time.check("a rank in psInit");
  const int32_t both[] = {0, 1};
  psGroup group = nullptr;
  if (member.rank == 1) std::this_thread::sleep_for(kIdle);
  require_ok(psNewGroup(context, both, 2, nullptr, &group));
  if (member.rank == 0) time.check("a rank in psInit and psNewGroup");
  require_ok(psGroupFree(group));
  require_ok(psFinalize(context));
});

TEST(Idle, ARankThatWaitsForTheOthersToComeUsesNextToNoCpu) { run_world(late, Ranks::kProcesses, 2); }

}  // namespace
}  // namespace ps_test
