// Guardians of several ranks over one segment, with futex_waitv and without. Death itself is a thread that ends while
// its word is still on its robust-futex list: for the kernel that is the same as the end of its process.
#include "control/guardian.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/deadline.h"

namespace ps {
namespace {

constexpr int kRanks = 4;

TransientBytes roster() {
  RosterWriter writer(kRanks);
  for (int rank = 0; rank < kRanks; ++rank) {
    Member member;
    member.local_index = rank;
    writer.add(member, "host", "address");
  }
  return writer.finish();
}

// What a test waits for, at most 30 s.
class Notices {
 public:
  void notice() {
    {
      const std::lock_guard lock(mutex_);
      ++count_;
    }
    changed_.notify_all();
  }
  template <class Done>
  bool until(Done&& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return done(); });
  }
  int count() const { return count_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

// A rank whose thread ends without leaving in order.
void live_and_die(RankLines::Life& life) {
  std::thread([&life] {
    static thread_local robust_list_head head{};
    head.futex_offset =
        static_cast<long>(offsetof(RankLines::Life, word)) - static_cast<long>(offsetof(RankLines::Life, link));
    head.list_op_pending = nullptr;
    life.word.store(static_cast<uint32_t>(::syscall(SYS_gettid)) | FUTEX_WAITERS);
    life.presence.store(Presence::kPresent);
    life.link.next = &head.list;
    head.list.next = &life.link;
    ::syscall(SYS_set_robust_list, &head, sizeof head);
  }).join();
}

std::vector<int> deaths(const HostSegment& segment) {
  std::vector<int> list;
  segment.visit_deaths([&](int32_t rank) {
    list.push_back(rank);
    return false;
  });
  return list;
}

class GuardianTest : public testing::TestWithParam<bool> {
 protected:
  std::shared_ptr<HostSegment> segment(int index) const {
    return std::make_shared<HostSegment>(memory_, roster(), index);
  }
  std::unique_ptr<Guardian> guardian(int index) {
    return std::make_unique<Guardian>(
        segment(index), logger_, [this] { notices_.notice(); }, GetParam());
  }
  void SetUp() override {
    segment(0)->write_roster(roster());
    if (GetParam() && !Guardian::has_futex_waitv()) GTEST_SKIP() << "this kernel has no futex_waitv";
  }

  std::shared_ptr<SharedMemory> memory_ = SharedMemory::create_in_process(HostSegment::bytes(roster()));
  Logger logger_;
  Notices notices_;
};

INSTANTIATE_TEST_SUITE_P(Kernel, GuardianTest, testing::Values(true, false),
                         [](const auto& info) { return info.param ? "with_waitv" : "without_waitv"; });

TEST_P(GuardianTest, NoticesADeathAndLogsItOnce) {
  const auto first = guardian(0);
  const auto second = guardian(1);
  live_and_die(segment(2)->own().life);
  EXPECT_TRUE(notices_.until([&] { return notices_.count() >= 2; }));
  EXPECT_EQ(deaths(*segment(0)), std::vector<int>{2});
}

TEST_P(GuardianTest, TheFirstDeathStaysTheFirst) {
  const auto first = guardian(0);
  live_and_die(segment(3)->own().life);
  EXPECT_TRUE(notices_.until([&] { return notices_.count() >= 1; }));
  live_and_die(segment(1)->own().life);
  EXPECT_TRUE(notices_.until([&] { return notices_.count() >= 2; }));
  EXPECT_EQ(deaths(*segment(0)), (std::vector<int>{3, 1}));
}

TEST_P(GuardianTest, LeavingInOrderIsNoDeath) {
  auto first = guardian(0);
  const auto second = guardian(1);
  first->stop();
  first.reset();
  EXPECT_EQ(segment(0)->own().life.word.load(), 0U);
  // A real death afterwards is the only one.
  live_and_die(segment(2)->own().life);
  EXPECT_TRUE(notices_.until([&] { return notices_.count() >= 1; }));
  EXPECT_EQ(deaths(*segment(0)), std::vector<int>{2});
}

TEST_P(GuardianTest, ADeathBeforeTheGuardianCameIsNoticed) {
  live_and_die(segment(2)->own().life);
  const auto late = guardian(0);
  EXPECT_TRUE(notices_.until([&] { return notices_.count() >= 1; }));
  EXPECT_EQ(deaths(*segment(0)), std::vector<int>{2});
}

TEST_P(GuardianTest, TheHeartBeats) {
  const auto first = guardian(0);
  const std::atomic<uint32_t>& beats = segment(0)->own().heart.beats;
  const uint32_t before = beats.load();
  const int64_t end = monotonic_ns() + 30'000'000'000;
  while (beats.load() < before + 2 && monotonic_ns() < end) ::sched_yield();
  EXPECT_GE(beats.load(), before + 2);
  // A rank that does not exist has no beating heart, whatever time it is. Who looks sees a beat a moment after it.
  bool is_told_apart = false;
  while (!is_told_apart && monotonic_ns() < end) is_told_apart = first->silent_ms(1) > first->silent_ms(0) + 50;
  EXPECT_TRUE(is_told_apart);
}

TEST_P(GuardianTest, StopsQuickly) {
  // Many rounds: a stop that waited for its tick would take minutes.
  for (int i = 0; i < 200; ++i) guardian(0)->stop();
}

TEST(HostSegmentTest, EveryRankFitsIntoTheLogAndIsThereOnce) {
  const auto memory = SharedMemory::create_in_process(HostSegment::bytes(roster()));
  HostSegment segment(memory, roster(), 0);
  segment.write_roster(roster());
  for (const int rank : {2, 0, 2, 3, 1, 0, 3}) segment.log_death(rank, Loss::kEnded);
  EXPECT_EQ(deaths(segment), (std::vector<int>{2, 0, 3, 1}));
  EXPECT_EQ(segment.death_count().load(), 4U);
}

}  // namespace
}  // namespace ps
