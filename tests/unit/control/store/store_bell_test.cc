// A bell wakes whoever waits for it, however the store is reached, and loses no ring that comes before or between waits.
#include "control/store/store_bell.h"

#include <condition_variable>

#include "support.h"

namespace ps {
namespace {

constexpr uint64_t kWorld = 7;

// Counts what it is told, and waits for the next one.
class Sleeper {
 public:
  std::function<void()> wake() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++woken_;
      changed_.notify_all();
    };
  }
  bool is_woken() {
    std::unique_lock lock(mutex_);
    const bool is = changed_.wait_for(lock, std::chrono::seconds(30), [this] { return woken_ > 0; });
    woken_ = 0;
    return is;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int woken_ = 0;
};

class Bell : public StoreTest, public ::testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    StoreSettings made = settings("tcp://127.0.0.1:0", "", "");
    host_ = host_store(made);
    made.url = host_->url();
    store_ = GetParam() ? join_store(made, soon()) : host_;
  }

  std::shared_ptr<Store> host_;
  std::shared_ptr<Store> store_;
};

TEST_P(Bell, WakesWhoWaitsAgainAndAgain) {
  StoreBell bell(store_, kWorld, 3);
  const StoreBell other(host_, kWorld, 1);
  Sleeper sleeper;
  bell.add(&sleeper, sleeper.wake());
  for (int i = 0; i < 20; ++i) {
    other.ring(3);
    EXPECT_TRUE(sleeper.is_woken());
  }
}

TEST_P(Bell, WhatRangBeforeIsHeard) {
  StoreBell bell(store_, kWorld, 3);
  StoreBell(host_, kWorld, 1).ring(3);
  Sleeper sleeper;
  bell.add(&sleeper, sleeper.wake());
  EXPECT_TRUE(sleeper.is_woken());
}

TEST_P(Bell, WakesAllAndNobodyWhoHasGone) {
  StoreBell bell(store_, kWorld, 3);
  Sleeper first;
  Sleeper second;
  int gone = 0;
  bell.add(&gone, [&] { ++gone; });
  bell.remove(&gone);
  bell.add(&first, first.wake());
  bell.add(&second, second.wake());
  StoreBell(host_, kWorld, 1).ring(3);
  EXPECT_TRUE(first.is_woken());
  EXPECT_TRUE(second.is_woken());
  EXPECT_EQ(gone, 0);
}

TEST_P(Bell, OfAnotherRankOrWorldIsNotHeard) {
  StoreBell bell(store_, kWorld, 3);
  Sleeper sleeper;
  std::atomic<bool> is_early = true;
  bell.add(&sleeper, [&, wake = sleeper.wake()] {
    EXPECT_FALSE(is_early);
    wake();
  });
  StoreBell(host_, kWorld, 4).ring(4);
  StoreBell(host_, kWorld + 1, 1).ring(3);
  host_->get(std::string(1, kReservedKeyPrefix) + "bell 8 3", soon());
  is_early = false;
  StoreBell(host_, kWorld, 1).ring(3);
  EXPECT_TRUE(sleeper.is_woken());
}

TEST_P(Bell, EndsWhileItWaitsAndWithoutAStore) {
  StoreBell bell(store_, kWorld, 3);
  Sleeper sleeper;
  bell.add(&sleeper, sleeper.wake());
  bell.stop();
  StoreBell orphan(store_, kWorld, 2);
  orphan.add(&sleeper, sleeper.wake());
  if (GetParam()) {
    host_.reset();
    EXPECT_TRUE(sleeper.is_woken()) << "who waits shall find that nothing comes";
  }
  orphan.stop();
}

INSTANTIATE_TEST_SUITE_P(Ways, Bell, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Client" : "Host"; });

}  // namespace
}  // namespace ps
