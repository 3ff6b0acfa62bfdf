// A rank that waits costs next to nothing, however it waits: in a call, beside an asynchronous operation, for peers that
// have not come, or in no call at all. All its threads count: guardian, progress and store tick too. CPU time is
// measured, not time, and in the middle one of many windows: a machine whose CPU is taken away for a moment charges the
// thread that was on it, once, while a thread that spins, or wakes too often, does so in every window.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr std::chrono::milliseconds kIdle{10'000};
constexpr std::chrono::milliseconds kWindow{500};
constexpr int64_t kMostUs = (kSanitized ? 10 : 1) * 20'000;
// What no stall of the machine explains: a burst of work that a rank which waits has no reason for.
constexpr int64_t kMostInBurstsUs = 10 * kMostUs;

int64_t cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * int64_t{1'000'000} + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

// Each thread with the time it ran since it began and how often it was let run: what a failure is looked for in.
std::string threads_text() {
  std::string text;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    int64_t ran_ns = 0, waited_ns = 0, slices = 0;
    std::ifstream(task.path() / "comm") >> name;
    std::ifstream(task.path() / "schedstat") >> ran_ns >> waited_ns >> slices;
    text += "; " + name + " " + std::to_string(ran_ns / 1000) + " us in " + std::to_string(slices) + " turns";
  }
  return text;
}

// What this process uses from now on, all threads together, in windows that end by themselves.
class CpuTime {
 public:
  CpuTime() : begin_(cpu_us()), sampler_([this] { sample(); }) {}
  ~CpuTime() { stop(); }

  void check(const char* how) {
    stop();
    const int64_t used = cpu_us() - begin_;
    require(windows_.size() >= 10, std::string(how) + " was watched for " + std::to_string(windows_.size()) + " windows");
    const auto middle = windows_.begin() + static_cast<ptrdiff_t>(windows_.size() / 2);
    std::nth_element(windows_.begin(), middle, windows_.end());
    const int64_t steady = *middle * (kIdle / kWindow);
    std::printf("%s: %lld us of CPU, %lld by the middle window\n", how, static_cast<long long>(used),
                static_cast<long long>(steady));
    require(steady <= kMostUs && used <= kMostInBurstsUs,
            std::string(how) + " used " + std::to_string(used) + " us of CPU, " + std::to_string(steady) +
                " in 10 s by the middle window" + threads_text());
  }

 private:
  void sample() {
    std::unique_lock lock(mutex_);
    for (int64_t before = begin_; !stopped_.wait_for(lock, kWindow, [this] { return stop_; });) {
      const int64_t now = cpu_us();
      windows_.push_back(now - before);
      before = now;
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    stopped_.notify_one();
    if (sampler_.joinable()) sampler_.join();
  }

  const int64_t begin_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::vector<int64_t> windows_;
  std::thread sampler_;
};

// Rank 0 makes the others wait for it, in no call itself; rank 1 waits in a receive, rank 2 in a collective, rank 3 has
// an asynchronous receive in flight and no call, rank 4 waits for a key of the store. Ranks 0 and 1 also have a group with
// a third member that neither ever had to do with.
const Body idle("idle", [](Member& member) {
  int32_t value = 0;
  psWork work = nullptr;
  psStore store = nullptr;
  require_ok(psGetStore(member.context, &store));
  require_ok(psAllReduce(member.world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr));
  const int32_t members[] = {0, 1, 2};
  psGroup partly = nullptr;
  if (member.rank < 3) require_ok(psNewGroup(member.context, members, 3, nullptr, &partly));
  if (member.rank == 0) require_ok(psSend(partly, &value, 1, PS_INT32, 1, 1, nullptr, nullptr));
  if (member.rank == 1) require_ok(psRecv(partly, &value, 1, PS_INT32, 0, 1, nullptr, nullptr));
  if (member.rank == 3) require_ok(psRecv(member.world, &value, 1, PS_INT32, 0, 1, nullptr, &work));
  require_ok(psBarrier(member.world, nullptr));
  CpuTime time;
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
  require_ok(psGroupFree(partly));
  require_ok(psStoreFree(store));
});

TEST(Idle, ARankThatWaitsUsesNextToNoCpu) { run_world(idle, Ranks::kProcesses, 5); }

// Rank 3 comes late to the first use of a group, so that the others have no way to it yet; rank 0 serves the store that
// they meet at.
const Body unconnected("unconnected", [](Member& member) {
  const int32_t members[] = {1, 2, 3};
  const bool is_member = member.rank != 0;
  psGroup group = nullptr;
  if (is_member) require_ok(psNewGroup(member.context, members, 3, nullptr, &group));
  require_ok(psBarrier(member.world, nullptr));
  CpuTime time;
  if (member.rank == 3 || !is_member) std::this_thread::sleep_for(kIdle);
  if (!is_member) time.check("a rank that serves the store");
  int32_t sum = 1;
  if (is_member) require_ok(psAllReduce(group, &sum, &sum, 1, PS_INT32, PS_SUM, nullptr, nullptr));
  if (is_member && member.rank != 3) time.check("a rank at a group's first use");
  require(!is_member || sum == 3, "all members have met");
  require_ok(psGroupFree(group));
  require_ok(psBarrier(member.world, nullptr));
});

TEST(Idle, ARankThatWaitsForAPeerThatItHasNoConnectionToUsesNextToNoCpu) { run_world(unconnected, Ranks::kProcesses, 4); }

// What a call costs while it only waits: after it has begun, and before the last rank comes, which `key` lets go.
class WhileItWaits {
 public:
  WhileItWaits(const char* how, psStore store, const char* key) : thread_([how, store, key, this] {
      std::this_thread::sleep_for(kBegin);
      CpuTime time;
      std::this_thread::sleep_for(kIdle);
      try {
        time.check(how);
      } catch (const Failure& failure) {
        found_ = failure.what();
      }
      if (psStoreSet(store, key, "1", 1, -1) != PS_OK) found_ += psLastError();
    }) {}
  ~WhileItWaits() {
    if (thread_.joinable()) thread_.join();
  }
  void check() {
    thread_.join();
    require(found_.empty(), found_);
  }

 private:
  static constexpr std::chrono::milliseconds kBegin{500};

  std::string found_;
  std::thread thread_;
};

// The first rank of a world and the group that follows wait for the last one.
const Body late("late", [](Member& member) {
  const std::string meeting = member.rendezvous + "-late";
  psStore store = nullptr;
  require_ok(psGetStore(member.context, &store));
  const auto come_after = [&](const char* key) {
    psBytes bytes = nullptr;
    if (member.rank == 1) require_ok(psStoreGet(store, key, -1, &bytes));
    require_ok(psBytesFree(bytes));
  };
  const auto watch = [&](const char* how, const char* key) {
    return member.rank == 0 ? std::make_unique<WhileItWaits>(how, store, key) : nullptr;
  };
  auto joining = watch("a rank in psInit", "joining measured");
  come_after("joining measured");
  const psContext context = join(meeting, member.rank, member.size);
  if (joining) joining->check();
  const int32_t both[] = {0, 1};
  psGroup group = nullptr;
  auto making = watch("a rank in psNewGroup", "making measured");
  come_after("making measured");
  require_ok(psNewGroup(context, both, 2, nullptr, &group));
  if (making) making->check();
  require_ok(psGroupFree(group));
  require_ok(psFinalize(context));
  require_ok(psStoreFree(store));
});

TEST(Idle, ARankThatWaitsForTheOthersToComeUsesNextToNoCpu) { run_world(late, Ranks::kProcesses, 2); }

}  // namespace
}  // namespace ps_test
