// One thread at a time holds the lock, and nobody sleeps on past its release.
#include "control/lock.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace ps {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr long kRounds = 20'000;
#else
constexpr long kRounds = 1'000'000;
#endif

TEST(Lock, CountsWithoutLoss) {
  Lock lock;
  long count = 0;
  std::latch together(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      for (long round = 0; round < kRounds; ++round) {
        // Some threads poll, as whoever steps operations does, and some sleep.
        std::unique_lock held(lock, std::defer_lock);
        while (i % 2 == 0 && !held.owns_lock() && !held.try_lock()) std::this_thread::yield();
        if (!held.owns_lock()) held.lock();
        ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 4 * kRounds);
}

TEST(Lock, IsHeldByOne) {
  Lock lock;
  ASSERT_TRUE(lock.try_lock());
  EXPECT_FALSE(lock.try_lock());
  std::thread waiter([&] {
    const std::lock_guard held(lock);
    EXPECT_FALSE(lock.try_lock());
  });
  lock.unlock();
  waiter.join();
  EXPECT_TRUE(lock.try_lock());
  lock.unlock();
}

}  // namespace
}  // namespace ps
