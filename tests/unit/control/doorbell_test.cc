// The lost-wake-up litmus: a sender stores its flag and looks whether anybody sleeps, a receiver says that it sleeps
// and looks at the flag. One of the two must see the other in every round, else a wake-up is lost. Stress of a whole
// program does not find a mistake here; two bare threads that meet millions of times do.
#include "control/doorbell.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <thread>

#include "control/waiting.h"

namespace ps {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kRounds = 100'000;
#else
constexpr uint32_t kRounds = 2'000'000;
#endif

// Two threads that begin each round at the same moment, on whatever cores there are.
class Meeting {
 public:
  void await(uint32_t round) {
    arrived_.fetch_add(1);
    for (int polls = 0; arrived_.load() < 2 * (round + 1); ++polls) {
      if (polls > 200) ::sched_yield();
    }
  }

 private:
  std::atomic<uint32_t> arrived_{0};
};

// Rounds in which neither saw the other. Both begin a round together; `reset` runs on the receiver's side between
// rounds. Where other programs hold the cores it stops early rather than late.
template <class Sender, class Receiver, class Reset>
uint32_t missed_rounds(Sender&& sender, Receiver&& receiver, Reset&& reset) {
  Meeting begin;
  Meeting end;
  bool sender_saw = false;
  bool last = false;
  std::thread other([&] {
    for (uint32_t round = 0;; ++round) {
      begin.await(round);
      sender_saw = sender(round + 1);
      end.await(round);
      if (last) return;
    }
  });
  uint32_t missed = 0;
  const Deadline deadline = Deadline::in_ms(20'000);
  for (uint32_t round = 0; !last; ++round) {
    begin.await(round);
    const bool receiver_saw = receiver(round + 1);
    last = round + 1 == kRounds || (round % 16 == 0 && deadline.passed());
    end.await(round);
    reset();
    if (!receiver_saw && !sender_saw) ++missed;
  }
  other.join();
  return missed;
}

struct alignas(128) Word {
  std::atomic<uint32_t> value{0};
};

TEST(Doorbell, NeitherSideMissesTheOther) {
  Word flag;
  Doorbell bell;
  const uint32_t missed = missed_rounds(
      [&](uint32_t round) {
        const uint32_t before = bell.bell.load();
        flag.value.store(round, std::memory_order_seq_cst);
        bell.ring();
        return bell.bell.load() != before;
      },
      [&](uint32_t round) {
        bell.sleeping.fetch_add(1, std::memory_order_seq_cst);
        return flag.value.load(std::memory_order_seq_cst) == round;
      },
      [&] { bell.sleeping.fetch_sub(1, std::memory_order_seq_cst); });
  // In such a round the receiver would sleep, and nobody would wake it.
  EXPECT_EQ(missed, 0U);
}

// What the protocol must not be: with release stores and acquire loads both sides may look before their own store is
// seen, also on x86. Run it with --gtest_also_run_disabled_tests; it shows that this litmus finds such a mistake.
TEST(Doorbell, DISABLED_ReleaseAndAcquireMiss) {
  Word flag;
  Word sleeping;
  const uint32_t missed = missed_rounds(
      [&](uint32_t round) {
        flag.value.store(round, std::memory_order_release);
        return sleeping.value.load(std::memory_order_acquire) == round;
      },
      [&](uint32_t round) {
        sleeping.value.store(round, std::memory_order_release);
        return flag.value.load(std::memory_order_acquire) == round;
      },
      [] {});
  EXPECT_GT(missed, 0U);
}

// Whole sleeps: without polling every hand-over needs its wake-up. A lost one costs a tick of 0.1 s, and one beside
// programs that compute some milliseconds: so time ends it, and how far it came decides.
TEST(Doorbell, WakesASleeperEveryTime) {
  const WaitPolicy no_polling = WaitPolicy::of(false, 0);
  Doorbell bells[2];
  std::atomic<uint32_t> ball{0};
  constexpr uint32_t kPasses = 20'000;
  constexpr uint32_t kEnough = 1'000;
  const Deadline deadline = Deadline::in_ms(30'000);
  const auto play = [&](uint32_t side) {
    for (uint32_t pass = side; pass < kPasses; pass += 2) {
      if (!wait_until(bells[side], no_polling, deadline, [&](bool) { return ball.load() >= pass; })) return;
      ball.store(pass + 1);
      bells[1 - side].ring();
    }
  };
  std::thread other([&] { play(1); });
  play(0);
  other.join();
  EXPECT_GE(ball.load(), kEnough);
}

TEST(Doorbell, AWaitEndsAtItsDeadline) {
  Doorbell bell;
  int thorough = 0;
  EXPECT_FALSE(wait_until(bell, WaitPolicy{}, Deadline::in_ms(5), [&](bool all) {
    thorough += all;
    return false;
  }));
  EXPECT_GT(thorough, 0);
  EXPECT_EQ(bell.sleeping.load(), 0U);
}

TEST(Doorbell, AnAttemptThatThrowsLeavesNobodyAsleep) {
  Doorbell bell;
  EXPECT_THROW(wait_until(bell, WaitPolicy::of(false, 0), Deadline::in_ms(1000), [](bool) -> bool { throw 1; }), int);
  EXPECT_EQ(bell.sleeping.load(), 0U);
}

TEST(Futex, ReturnsAtOnceForAnotherValueAndInTimeForTheSame) {
  std::atomic<uint32_t> word{1};
  EXPECT_TRUE(futex_wait(word, 0, 10 * kSecond));
  EXPECT_FALSE(futex_wait(word, 1, 1000));
}

}  // namespace
}  // namespace ps
