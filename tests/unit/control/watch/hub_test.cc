// Who is lost and who is merely stopped, by the hub's rules, at times of the test's choosing.
#include "control/watch/hub.h"

#include <gtest/gtest.h>

namespace ps {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

struct Seat : Attendee {
  void tell(FrameType type, std::string body) override {
    if (type == FrameType::kBeat) {
      beat = parse_beat(body).value_or(Beat{});
      ++beats;
    }
    if (type != FrameType::kNews) return;
    for (const Fact& fact : parse_news(body).value_or(std::vector<Fact>{})) {
      if (fact.kind != Fact::Kind::kPresent) facts.push_back(fact);
    }
  }
  std::vector<Fact> facts;
  Beat beat;
  int beats = 0;
};

Fact lost(int32_t rank, Loss loss) { return {Fact::Kind::kLost, rank, static_cast<uint64_t>(loss)}; }

// Ranks 0 and 1 on one host, 2 and 3 on another.
class WatchHubTest : public testing::Test {
 protected:
  WatchHubTest() {
    for (int32_t rank = 0; rank < 4; ++rank) {
      EXPECT_TRUE(hub.attend(seats[rank], {.world = 9, .world_size = 4, .rank = rank, .node = rank / 2, .port = 1}, now));
    }
    hub.flush();
  }
  // Time passes, in ticks; those of `beating` beat in each.
  void pass(int64_t ms, const std::vector<int>& beating) {
    for (int64_t end = now + ms * 1'000'000; now < end;) {
      now += kBeatMs * 1'000'000;
      for (const int rank : beating) hub.beat(seats[rank], now);
      hub.tick(now);
    }
  }

  WatchHub hub;
  Seat seats[4];
  int64_t now = 100 * kSecond;
};

TEST_F(WatchHubTest, WhatAMateHasProvenIsBelievedAtOnceAndToldOnce) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(hub.hear(seats[2], {lost(3, Loss::kEnded)}, now));
  hub.end(seats[3], false, now);
  pass(5000, {0, 1, 2});
  for (const int rank : {0, 1, 2}) EXPECT_EQ(seats[rank].facts, std::vector<Fact>{lost(3, Loss::kEnded)});
}

TEST_F(WatchHubTest, NobodySpeaksForAnotherHostOrAnotherRank) {
  EXPECT_FALSE(hub.hear(seats[2], {lost(0, Loss::kEnded)}, now));
  EXPECT_FALSE(hub.hear(seats[2], {lost(3, Loss::kSilent)}, now));
  EXPECT_FALSE(hub.hear(seats[2], {{Fact::Kind::kLeft, 3, 0}}, now));
  EXPECT_FALSE(hub.hear(seats[2], {lost(100, Loss::kEnded)}, now));
}

TEST_F(WatchHubTest, AnEndThatALivingMateDoesNotConfirmIsAHint) {
  hub.end(seats[3], false, now);
  pass(10'000, {0, 1, 2});
  EXPECT_TRUE(seats[0].facts.empty());
  EXPECT_EQ(seats[0].beat.silent.at(0).rank, 3);
}

TEST_F(WatchHubTest, AnEndThatNoMateCanSpeakAboutIsALossAndTheFirstComesFirst) {
  hub.end(seats[3], false, now);
  hub.end(seats[2], false, now + 1);
  pass(2000, {0, 1});
  EXPECT_EQ(seats[0].facts, (std::vector<Fact>{lost(3, Loss::kClosed), lost(2, Loss::kClosed)}));
}

TEST_F(WatchHubTest, AnEndWhileTheMateIsStoppedIsALoss) {
  hub.end(seats[3], false, now);
  pass(4000, {0, 1});
  EXPECT_EQ(seats[0].facts, std::vector<Fact>{lost(3, Loss::kClosed)});
}

TEST_F(WatchHubTest, ATimeOutIsALossAtOnce) {
  hub.end(seats[3], true, now);
  hub.flush();
  EXPECT_EQ(seats[1].facts, std::vector<Fact>{lost(3, Loss::kSilent)});
}

TEST_F(WatchHubTest, WhoComesAgainIsNotLost) {
  hub.end(seats[3], false, now);
  Seat again;
  EXPECT_TRUE(hub.attend(again, {.world = 9, .world_size = 4, .rank = 3, .node = 1, .port = 1}, now));
  pass(1000, {0, 1});
  hub.beat(again, now);
  pass(3000, {0, 1});
  EXPECT_TRUE(seats[0].facts.empty());
  hub.end(again, false, now);
}

TEST_F(WatchHubTest, WhoWasLostIsToldWhenItComesAgain) {
  hub.end(seats[3], true, now);
  Seat again;
  EXPECT_TRUE(hub.attend(again, {.world = 9, .world_size = 4, .rank = 3, .node = 1, .port = 1}, now));
  hub.flush();
  EXPECT_EQ(again.facts, std::vector<Fact>{lost(3, Loss::kSilent)});
  hub.end(again, false, now);
}

TEST_F(WatchHubTest, WhoIsSilentIsNamedAndFailsNothing) {
  pass(20'000, {0, 1, 2});
  EXPECT_TRUE(seats[0].facts.empty());
  ASSERT_EQ(seats[0].beat.silent.size(), 1U);
  EXPECT_EQ(seats[0].beat.silent[0].rank, 3);
  EXPECT_GE(seats[0].beat.silent[0].ms, 19'000U);
  // A stopped process is sent little: it does not read.
  EXPECT_LE(seats[3].beats, 8);
  EXPECT_GE(seats[0].beats, 40);
}

Fact doubted(int32_t rank, Doubt doubt) { return {Fact::Kind::kDoubted, rank, static_cast<uint64_t>(doubt)}; }

TEST_F(WatchHubTest, WhoIsMissedIsAskedTheSameOnce) {
  EXPECT_TRUE(hub.hear(seats[1], {doubted(2, Doubt::kSilent)}, now));
  EXPECT_TRUE(hub.hear(seats[1], {doubted(2, Doubt::kCut)}, now));
  pass(5000, {0, 1, 2, 3});
  EXPECT_EQ(seats[2].facts, std::vector<Fact>{doubted(1, Doubt::kSilent)});
  for (const int rank : {0, 1, 3}) EXPECT_TRUE(seats[rank].facts.empty());
}

TEST_F(WatchHubTest, ALinkIsCutWhenBothEndsSaySoAndOnlyTheyAreTold) {
  EXPECT_TRUE(hub.hear(seats[1], {doubted(2, Doubt::kCut)}, now));
  EXPECT_TRUE(hub.hear(seats[2], {doubted(1, Doubt::kSilent)}, now));
  hub.flush();
  EXPECT_EQ(seats[1].facts, std::vector<Fact>{doubted(2, Doubt::kSilent)});
  EXPECT_TRUE(hub.hear(seats[2], {doubted(1, Doubt::kCut)}, now));
  hub.flush();
  EXPECT_EQ(seats[1].facts.back(), doubted(2, Doubt::kCut));
  EXPECT_EQ(seats[2].facts.back(), doubted(1, Doubt::kCut));
  EXPECT_TRUE(seats[0].facts.empty());
  EXPECT_TRUE(seats[3].facts.empty());
}

TEST_F(WatchHubTest, WhoHasFoundItsWayAgainTakesItsDoubtBack) {
  EXPECT_TRUE(hub.hear(seats[1], {doubted(2, Doubt::kCut), doubted(2, Doubt::kNone)}, now));
  EXPECT_TRUE(hub.hear(seats[2], {doubted(1, Doubt::kCut)}, now));
  hub.flush();
  EXPECT_EQ(seats[2].facts, (std::vector<Fact>{doubted(1, Doubt::kSilent), doubted(1, Doubt::kNone)}));
  EXPECT_EQ(seats[1].facts, std::vector<Fact>{doubted(2, Doubt::kSilent)});
}

TEST_F(WatchHubTest, WhoComesAgainHasSaidNothing) {
  EXPECT_TRUE(hub.hear(seats[1], {doubted(2, Doubt::kCut)}, now));
  hub.end(seats[1], false, now);
  Seat again;
  EXPECT_TRUE(hub.attend(again, {.world = 9, .world_size = 4, .rank = 1, .node = 0, .port = 1}, now));
  EXPECT_TRUE(hub.hear(seats[2], {doubted(1, Doubt::kCut)}, now));
  hub.flush();
  EXPECT_EQ(again.facts, std::vector<Fact>{doubted(2, Doubt::kSilent)});
  hub.end(again, false, now);
}

TEST_F(WatchHubTest, WhoComesAgainIsToldWhoMissesItMeanwhile) {
  EXPECT_TRUE(hub.hear(seats[2], {doubted(1, Doubt::kSilent)}, now));
  hub.end(seats[1], false, now);
  EXPECT_TRUE(hub.hear(seats[3], {doubted(1, Doubt::kSilent)}, now));
  Seat again;
  EXPECT_TRUE(hub.attend(again, {.world = 9, .world_size = 4, .rank = 1, .node = 0, .port = 1}, now));
  hub.flush();
  EXPECT_EQ(again.facts, (std::vector<Fact>{doubted(2, Doubt::kSilent), doubted(3, Doubt::kSilent)}));
  hub.end(again, false, now);
}

TEST_F(WatchHubTest, NobodyDoubtsAMateOrAStranger) {
  EXPECT_FALSE(hub.hear(seats[2], {doubted(3, Doubt::kCut)}, now));
  EXPECT_FALSE(hub.hear(seats[2], {doubted(100, Doubt::kCut)}, now));
}

TEST_F(WatchHubTest, WhoLeftIsNotLost) {
  EXPECT_TRUE(hub.hear(seats[3], {{Fact::Kind::kLeft, 3, 0}}, now));
  hub.end(seats[3], false, now);
  pass(5000, {0, 1, 2});
  EXPECT_EQ(seats[0].facts, (std::vector<Fact>{{Fact::Kind::kLeft, 3, 0}}));
}

}  // namespace
}  // namespace ps
