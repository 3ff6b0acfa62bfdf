// Operations in flight together: order on one group, independence of groups, threads and worlds, waits that run out.
#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

psGroup own_group(const Member& member, const char* name) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  options.name = name;
  psGroup group = nullptr;
  require_ok(psNewGroup(member.context, all.data(), all.size(), &options, &group));
  return group;
}

// A sum in flight: rank r contributes value + r.
class Sum {
 public:
  Sum(const Member& member, psGroup group, int64_t value, size_t count)
      : sum_(member.size * value + member.size * (member.size - 1) / 2), data_(count, value + member.rank) {
    require_ok(psAllReduce(group, data_.data(), data_.data(), count, PS_INT64, PS_SUM, nullptr, &work_));
  }
  Sum(Sum&& other) noexcept
      : sum_(other.sum_), data_(std::move(other.data_)), work_(std::exchange(other.work_, nullptr)) {}
  ~Sum() { psWorkFree(work_); }

  psWork work() const { return work_; }
  void finish() {
    require_ok(psWorkWait(work_, -1));
    check();
  }
  // Freed unfinished, an operation still is waited for.
  void drop() {
    require_ok(psWorkFree(std::exchange(work_, nullptr)));
    check();
  }

 private:
  void check() const {
    for (const int64_t found : data_) require(found == sum_, "a sum is wrong");
  }

  int64_t sum_;
  std::vector<int64_t> data_;
  psWork work_ = nullptr;
};

void blocking_sum(const Member& member, psGroup group, int64_t value) {
  int64_t data = value + member.rank;
  require_ok(psAllReduce(group, &data, &data, 1, PS_INT64, PS_SUM, nullptr, nullptr));
  require(data == member.size * value + member.size * (member.size - 1) / 2, "a blocking sum is wrong");
}

const Body many_in_flight("many_in_flight", [](Member& member) {
  constexpr size_t kCounts[] = {1, 4, 1000, 20'000, 1, 100'000, 3};
  std::vector<Sum> sums;
  for (int i = 0; i < 120; ++i) sums.emplace_back(member, member.world, i, kCounts[i % 7]);
  for (auto sum = sums.rbegin(); sum != sums.rend(); ++sum) sum->finish();
});

const Body freed_unfinished("freed_unfinished", [](Member& member) {
  std::vector<Sum> sums;
  for (int i = 0; i < 30; ++i) sums.emplace_back(member, member.world, i, i % 2 == 0 ? 1 : 50'000);
  for (Sum& sum : sums) sum.drop();
  blocking_sum(member, member.world, 5);
});

const Body groups_in_different_order("groups_in_different_order", [](Member& member) {
  psGroup groups[] = {own_group(member, "a"), own_group(member, "b"), own_group(member, "c")};
  for (int round = 0; round < 30; ++round) {
    std::vector<Sum> sums;
    const size_t count = round % 3 == 0 ? 100'000 : 2;
    for (int i = 0; i < 3; ++i) {
      const int which = (i + member.rank + round) % 3;
      sums.emplace_back(member, groups[which], 100 * round + which, count);
    }
    // Waited for in yet another order.
    for (int i = 0; i < 3; ++i) sums[static_cast<size_t>((i + round) % 3)].finish();
    // One in the background, then one that blocks: crosswise on neighbours.
    Sum background(member, groups[member.rank % 2], round, 1);
    blocking_sum(member, groups[1 - member.rank % 2], round);
    background.finish();
  }
  for (psGroup group : groups) require_ok(psGroupFree(group));
});

const Body threads_on_groups("threads_on_groups", [](Member& member) {
  psGroup groups[] = {own_group(member, "a"), own_group(member, "b"), own_group(member, "c")};
  std::exception_ptr failures[3];
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      try {
        for (int round = 0; round < 40; ++round) {
          Sum large(member, groups[i], round, 30'000);
          blocking_sum(member, groups[i], 10 * round + i);
          large.finish();
        }
      } catch (...) {
        failures[i] = std::current_exception();
        psAbort(member.context, "a thread failed");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  for (psGroup group : groups) require_ok(psGroupFree(group));
});

const Body wait_that_runs_out("wait_that_runs_out", [](Member& member) {
  const int last = member.size - 1;
  if (member.rank != last) {
    Sum sum(member, member.world, 7, 50'000);
    require_error(psWorkWait(sum.work(), 20), PS_ERR_TIMEOUT, "rank " + std::to_string(last));
    require_error(psWorkWait(sum.work(), 0), PS_ERR_TIMEOUT);
    require(psWorkTest(sum.work()) == PS_IN_PROGRESS, "the operation must go on");
    psGroupInfo info = PS_GROUP_INFO_INIT;
    require_ok(psGetGroupInfo(member.world, &info));
    require(info.failure == PS_OK, "the group must be unharmed");
    // The last rank starts only when told.
    require_ok(psSend(member.world, nullptr, 0, PS_INT8, last, 1, nullptr, nullptr));
    sum.finish();
  } else {
    for (int rank = 0; rank < last; ++rank)
      require_ok(psRecv(member.world, nullptr, 0, PS_INT8, rank, 1, nullptr, nullptr));
    Sum(member, member.world, 7, 50'000).finish();
  }
  blocking_sum(member, member.world, 1);
});

std::atomic<int> arrived{0};

const Body barrier("barrier", [](Member& member) {
  for (int round = 1; round <= 200; ++round) {
    arrived.fetch_add(1);
    psWork work = nullptr;
    require_ok(psBarrier(member.world, round % 2 == 0 ? &work : nullptr));
    if (work != nullptr) require_ok(psWorkWait(work, -1));
    require(arrived.load() >= round * member.size, "a rank left the barrier before all had come");
    require_ok(psWorkFree(work));
  }
});

// This process is a rank of four worlds beside its own; in two of them with the ranks the other way round.
const Body four_worlds("four_worlds", [](Member& member) {
  std::vector<Member> worlds;
  for (int i = 0; i < 4; ++i) {
    Member other = member;
    if (i % 2 == 1) other.rank = member.size - 1 - member.rank;
    other.context = join(member.rendezvous + "-" + std::to_string(i), other.rank, other.size);
    require_ok(psGetGroup(other.context, "world", &other.world));
    worlds.push_back(other);
  }
  for (int round = 0; round < 20; ++round) {
    std::vector<Sum> sums;
    for (int i = 0; i < 4; ++i) {
      const Member& world = worlds[static_cast<size_t>((i + member.rank) % 4)];
      sums.emplace_back(world, world.world, round, round % 4 == 0 ? 60'000 : 1);
    }
    blocking_sum(member, member.world, round);
    for (Sum& sum : sums) sum.finish();
  }
  // Ended in another order on each rank.
  for (int i = 0; i < 4; ++i) {
    Member& world = worlds[static_cast<size_t>((i + member.rank) % 4)];
    require_ok(psGroupFree(world.world));
    require_ok(psFinalize(world.context));
  }
  blocking_sum(member, member.world, 3);
});

class Concurrency : public testing::TestWithParam<Ranks> {};

TEST_P(Concurrency, ManyOperationsInFlight) { run_world(many_in_flight, GetParam(), 3); }
TEST_P(Concurrency, WorksFreedUnfinished) { run_world(freed_unfinished, GetParam(), 3); }
TEST_P(Concurrency, GroupsInDifferentOrder) { run_world(groups_in_different_order, GetParam(), 4); }
TEST_P(Concurrency, ThreadsOnDifferentGroups) { run_world(threads_on_groups, GetParam(), 3); }
TEST_P(Concurrency, AWaitThatRunsOutHarmsNothing) { run_world(wait_that_runs_out, GetParam(), 3); }
TEST_P(Concurrency, FourWorldsAtOnce) { run_world(four_worlds, GetParam(), 3); }
TEST_P(Concurrency, MoreRanksThanProcessors) { run_world(many_in_flight, GetParam(), 16); }

TEST(Barrier, NobodyLeavesBeforeAllHaveCome) {
  for (const int size : {1, 2, 5, 9}) {
    arrived = 0;
    run_world(barrier, Ranks::kThreads, size);
  }
}

INSTANTIATE_TEST_SUITE_P(Over, Concurrency, testing::Values(Ranks::kThreads, Ranks::kProcesses),
                         [](const auto& info) { return describe(info.param); });

// A context is finalized while threads look it up: each gets groups until it gets an error, and nothing else.
TEST(Finalize, BesideThreadsThatUseTheContext) {
  for (int round = 0; round < 20; ++round) {
    psConfig config = PS_CONFIG_INIT;
    config.flags = PS_NO_ENVIRONMENT;
    config.world_size = 1;
    psContext context = nullptr;
    require_ok(psInit(&config, &context));
    std::atomic<int> busy{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        for (bool first = true;; first = false) {
          psGroup group = nullptr;
          const psResult result = psGetGroup(context, "world", &group);
          if (result != PS_OK) {
            EXPECT_TRUE(result == PS_ERR_STATE || result == PS_ERR_ARGUMENT) << psLastError();
            return;
          }
          EXPECT_EQ(psGroupFree(group), PS_OK);
          if (first) ++busy;
        }
      });
    }
    while (busy < 3) std::this_thread::yield();
    EXPECT_EQ(psFinalize(context), PS_OK);
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace ps_test
