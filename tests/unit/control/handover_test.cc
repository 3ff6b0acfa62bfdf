// One giver and several takers, as processes do it and as threads do it, and strangers at the socket.
#include "control/handover.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/wire.h"

namespace ps {
namespace {

constexpr size_t kSize = 8192;

const StopCheck kNoCheck = [] {};

Deadline soon() { return Deadline::in_ms(20'000); }

std::shared_ptr<SharedMemory> make_memory(bool in_process) {
  return in_process ? SharedMemory::create_in_process(kSize) : SharedMemory::create_for_processes("test", kSize);
}

template <class Call>
Error failure_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "it did not fail";
  return Error(PS_OK, "");
}

// `attach` is bind or connect.
Descriptor socket_at(const std::string& ticket, int attach(int, const sockaddr*, socklen_t)) {
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, ticket.data(), ticket.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + ticket.size());
  EXPECT_EQ(attach(socket.get(), reinterpret_cast<const sockaddr*>(&address), length), 0);
  return socket;
}

class HandoverTest : public testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(Ranks, HandoverTest, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "threads" : "processes"; });

TEST_P(HandoverTest, AllTakersShareTheGiversMemory) {
  constexpr int kTakers = 3;
  Offer giver(GetParam());
  const auto memory = make_memory(GetParam());
  memory->data()[5] = std::byte{42};
  std::vector<std::shared_ptr<SharedMemory>> taken(kTakers);
  std::vector<std::thread> takers;
  for (auto& slot : taken) {
    takers.emplace_back([&] {
      const Offer own(GetParam());
      slot = own.take(giver.ticket(), kSize, soon(), kNoCheck);
    });
  }
  giver.give(memory, kTakers, soon(), kNoCheck);
  for (auto& taker : takers) taker.join();
  for (const auto& slot : taken) EXPECT_EQ(slot->data()[5], std::byte{42});
}

TEST_P(HandoverTest, GivingToNobodyReturns) { Offer(GetParam()).give(make_memory(GetParam()), 0, soon(), kNoCheck); }

TEST_P(HandoverTest, GivingEndsAtTheDeadlineAndSaysHowManyDidNotCome) {
  Offer giver(GetParam());
  const Error error = failure_of([&] { giver.give(make_memory(GetParam()), 2, Deadline::in_ms(60), kNoCheck); });
  EXPECT_EQ(error.code(), PS_ERR_TIMEOUT);
  EXPECT_NE(error.text().find("2 of 2 ranks"), std::string::npos) << error.text();
}

TEST_P(HandoverTest, TakingEndsAtTheDeadline) {
  const Offer giver(GetParam());
  const Offer taker(GetParam());
  const Error error = failure_of([&] { taker.take(giver.ticket(), kSize, Deadline::in_ms(60), kNoCheck); });
  EXPECT_EQ(error.code(), PS_ERR_TIMEOUT);
}

TEST_P(HandoverTest, ACheckEndsBoth) {
  const StopCheck died = [] { throw Error(PS_ERR_PEER_FAILED, "rank 7 died", 7); };
  Offer giver(GetParam());
  const Offer silent(GetParam());
  const Offer taker(GetParam());
  EXPECT_EQ(failure_of([&] { giver.give(make_memory(GetParam()), 1, soon(), died); }).culprit(), 7);
  EXPECT_EQ(failure_of([&] { taker.take(silent.ticket(), kSize, soon(), died); }).culprit(), 7);
}

TEST_P(HandoverTest, WhatKeptTheGiverFromMakingItIsToldToAllTakers) {
  Offer giver(GetParam());
  std::vector<std::string> texts(2);
  std::vector<std::thread> takers;
  for (std::string& text : texts) {
    takers.emplace_back([&] {
      const Offer own(GetParam());
      const Error error = failure_of([&] { own.take(giver.ticket(), kSize, soon(), kNoCheck); });
      EXPECT_EQ(error.code(), PS_ERR_NO_MEMORY);
      text = error.text();
    });
  }
  const std::string why = "too little: " + std::string(3000, 'x');
  giver.refuse(Error(PS_ERR_NO_MEMORY, why), 2, soon(), kNoCheck);
  for (auto& taker : takers) taker.join();
  for (const std::string& text : texts) EXPECT_EQ(text, "the first rank of this host cannot make the shared memory: " + why);
}

TEST(Handover, TakingFromOneThatIsGoneFails) {
  std::string ticket;
  {
    const Offer gone(false);
    ticket = gone.ticket();
  }
  const Offer taker(false);
  EXPECT_LT(failure_of([&] { taker.take(ticket, kSize, soon(), kNoCheck); }).code(), 0);
}

TEST(Handover, AStrangerGetsNothingAndKeepsNobodyOut) {
  Offer giver(false);
  const auto memory = make_memory(false);
  const Descriptor stranger = socket_at(giver.ticket(), ::connect);
  const std::string wrong(giver.ticket().size(), 'x');
  ASSERT_EQ(::send(stranger.get(), wrong.data(), wrong.size(), MSG_NOSIGNAL), static_cast<ssize_t>(wrong.size()));
  std::shared_ptr<SharedMemory> taken;
  std::thread taker([&] {
    const Offer own(false);
    taken = own.take(giver.ticket(), kSize, soon(), kNoCheck);
  });
  giver.give(memory, 1, soon(), kNoCheck);
  taker.join();
  EXPECT_EQ(taken->size(), kSize);
  char byte = 0;
  EXPECT_EQ(::recv(stranger.get(), &byte, 1, MSG_DONTWAIT), 0) << "the connection is closed, and brought nothing";
}

TEST(Handover, ATakerThatWasLateWithItsTicketAsksAgain) {
  const std::string ticket = "parallelstate-test-" + std::to_string(::getpid());
  const Descriptor giver = socket_at(ticket, ::bind);
  ASSERT_EQ(::listen(giver.get(), 4), 0);
  std::string why;
  std::thread taker([&] {
    const Offer own(false);
    why = failure_of([&] { own.take(ticket, kSize, soon(), kNoCheck); }).text();
  });
  Descriptor(::accept(giver.get(), nullptr, nullptr)).reset();  // as with a stranger
  const Descriptor again(::accept(giver.get(), nullptr, nullptr));
  const std::string refusal = std::string(1, '\0') + WireWriter().number(PS_ERR_NO_MEMORY).text("full").take();
  EXPECT_EQ(::send(again.get(), refusal.data(), refusal.size(), MSG_NOSIGNAL), static_cast<ssize_t>(refusal.size()));
  ::shutdown(again.get(), SHUT_WR);
  taker.join();
  EXPECT_EQ(why, "the first rank of this host cannot make the shared memory: full");
}

TEST(Handover, TicketsAreDistinct) { EXPECT_NE(Offer(false).ticket(), Offer(false).ticket()); }

}  // namespace
}  // namespace ps
