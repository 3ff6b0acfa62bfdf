// Who is asked about, who is doubted, and who is cut off, at times of the test's choosing. What answers is a port that
// listens; what does not is one whose queue of connections is full, so that the kernel drops whoever knocks.
#include "control/watch/doubts.h"

#include <gtest/gtest.h>

#include "control/store/socket.h"

namespace ps {
namespace {

class Port {
 public:
  explicit Port(bool answers) : listener_(new_stream_socket(AF_INET)) {
    std::string why;
    const SocketAddress any = resolve("127.0.0.1", 0, why).at(0);
    EXPECT_EQ(::bind(listener_.get(), any.get(), any.size), 0);
    EXPECT_EQ(::listen(listener_.get(), answers ? 16 : 0), 0);
    // As many as it takes until one is not answered.
    for (int state = answers ? 0 : 1; state > 0;) {
      Descriptor knock = new_stream_socket(AF_INET);
      const SocketAddress here = local_address(listener_.get());
      ::connect(knock.get(), here.get(), here.size);
      state = wait_for_events(knock.get(), POLLOUT, Deadline::in_ms(200)) ? 1 : 0;
      waiting_.push_back(std::move(knock));
    }
  }
  uint16_t number() const { return port_of(local_address(listener_.get())); }
  // Lets go of those who wait, so that the next beginning of a connection is answered.
  void answer() {
    waiting_.clear();
    while (Descriptor(::accept(listener_.get(), nullptr, nullptr))) {
    }
  }

 private:
  Descriptor listener_;
  std::vector<Descriptor> waiting_;
};

// Ranks 1 and 2 are on one other host, 3 on a third.
class DoubtsTest : public testing::Test {
 protected:
  DoubtsTest() : doubts(0, 4, neighbours, [this](int32_t rank) { return knock(rank); }) {}

  std::optional<Probe> knock(int32_t rank) {
    knocks.push_back(rank);
    const Port* port = ports[rank];
    return port == nullptr ? std::nullopt : std::optional(Probe("127.0.0.1", port->number(), Deadline::in_ms(60'000)));
  }
  // Time passes, in ticks, in which these are awaited; what the hub is told meanwhile.
  std::vector<Fact> pass(int64_t ms, const std::vector<int32_t>& awaited, bool is_late = false) {
    std::vector<Fact> told;
    for (const int64_t end = now + ms * 1'000'000; now < end;) {
      now += kBeatMs * 1'000'000;
      for (const int32_t rank : awaited) doubts.note_awaited(rank);
      doubts.tick(now, is_late);
      doubts.look(now);
      const std::vector<Fact> changes = doubts.take_changes();
      told.insert(told.end(), changes.begin(), changes.end());
    }
    return told;
  }
  // The same once what has begun on the loopback is done.
  std::vector<Fact> settle(const std::vector<int32_t>& awaited) {
    std::vector<pollfd> polled;
    doubts.add_to(polled);
    ::poll(polled.data(), polled.size(), 300);
    return pass(kBeatMs, awaited);
  }

  const std::vector<Neighbour> neighbours = {{1, "host b"}, {2, "host b"}, {3, "host c"}};
  Port open{true};
  Port silent{false};
  const Port* ports[4] = {nullptr, &open, &open, &open};
  std::vector<int32_t> knocks;
  int64_t now = 100'000'000'000;
  Doubts doubts;
};

Fact doubted(int32_t rank, Doubt doubt) { return {Fact::Kind::kDoubted, rank, static_cast<uint64_t>(doubt)}; }

TEST_F(DoubtsTest, WhoAnswersIsNotDoubtedHoweverLongTheWait) {
  pass(1000, {3});
  settle({3});
  EXPECT_EQ(pass(60'000, {3}), std::vector<Fact>());
  EXPECT_EQ(knocks, std::vector<int32_t>{3});
}

TEST_F(DoubtsTest, OneThatAnswersSpeaksForItsHost) {
  pass(1000, {1, 2, 3});
  settle({1, 2, 3});
  pass(10'000, {1, 2, 3});
  EXPECT_EQ(knocks, (std::vector<int32_t>{1, 3}));
}

TEST_F(DoubtsTest, WhoDoesNotAnswerIsDoubtedAndIsCutOffByTheHubAlone) {
  ports[3] = &silent;
  EXPECT_EQ(pass(500, {3}), std::vector<Fact>());
  EXPECT_EQ(pass(500, {3}), std::vector<Fact>{doubted(3, Doubt::kSilent)});
  EXPECT_EQ(pass(3000, {3}), std::vector<Fact>{doubted(3, Doubt::kCut)});
  EXPECT_FALSE(doubts.is_cut_off(3));
  doubts.hear(3, Doubt::kCut, now);
  EXPECT_TRUE(doubts.is_cut_off(3));
  EXPECT_TRUE(doubts.any_cut_off());
  // The rank at the other end has found the way.
  doubts.hear(3, Doubt::kNone, now);
  EXPECT_FALSE(doubts.any_cut_off());
}

TEST_F(DoubtsTest, WhatIsCutOffIsTriedUntilItAnswers) {
  ports[3] = &silent;
  pass(5000, {3});
  doubts.hear(3, Doubt::kCut, now);
  EXPECT_EQ(pass(60'000, {}), std::vector<Fact>());
  EXPECT_TRUE(doubts.is_cut_off(3));
  silent.answer();
  std::vector<Fact> told;
  const Deadline deadline = Deadline::in_ms(30'000);
  while (told.empty() && !deadline.passed()) told = settle({});
  EXPECT_EQ(told, std::vector<Fact>{doubted(3, Doubt::kNone)});
  EXPECT_FALSE(doubts.any_cut_off());
}

TEST_F(DoubtsTest, AWaitThatEndsTakesItsDoubtBack) {
  ports[3] = &silent;
  pass(5000, {3});
  EXPECT_EQ(pass(2000, {}), std::vector<Fact>{doubted(3, Doubt::kNone)});
  doubts.hear(3, Doubt::kCut, now);  // decided before that was heard
  EXPECT_FALSE(doubts.any_cut_off());
}

TEST_F(DoubtsTest, WhoIsMissedTriesTheWayBackWithoutWaiting) {
  ports[2] = &silent;
  doubts.hear(2, Doubt::kSilent, now);
  EXPECT_EQ(pass(4000, {}), (std::vector<Fact>{doubted(2, Doubt::kSilent), doubted(2, Doubt::kCut)}));
  doubts.hear(1, Doubt::kSilent, now);
  EXPECT_EQ(settle({}), std::vector<Fact>());
  EXPECT_EQ(pass(3500, {}), std::vector<Fact>());
}

TEST_F(DoubtsTest, SilenceProvesNothingToOneThatWasStopped) {
  ports[3] = &silent;
  EXPECT_EQ(pass(10'000, {3}, true), std::vector<Fact>());
}

TEST_F(DoubtsTest, ANewHubIsToldWhatIsDoubtedNow) {
  ports[3] = &silent;
  pass(5000, {3});
  doubts.tell_again();
  EXPECT_EQ(pass(500, {3}), std::vector<Fact>{doubted(3, Doubt::kCut)});
}

TEST_F(DoubtsTest, WhoEndsOrIsGoneIsNotDoubted) {
  {
    const Port closing(false);
    ports[3] = &closing;
    pass(5000, {3});
    ports[3] = nullptr;  // the watch knows that it is gone
  }
  std::vector<Fact> told;
  const Deadline deadline = Deadline::in_ms(30'000);
  while (told.empty() && !deadline.passed()) told = settle({3});
  EXPECT_EQ(told, std::vector<Fact>{doubted(3, Doubt::kNone)});
}

}  // namespace
}  // namespace ps
