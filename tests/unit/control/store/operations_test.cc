// Each operation through every way to reach a store.
#include <thread>

#include "support.h"

namespace ps {
namespace {

enum class Way { kMemory, kHost, kUnix, kTcp, kTcpWithSecret };

class Operations : public StoreTest, public ::testing::WithParamInterface<Way> {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    const Way way = GetParam();
    StoreSettings made = settings("", way == Way::kTcpWithSecret ? "a secret" : "", "");
    made.url = way == Way::kMemory ? "mem://operations" : way == Way::kUnix ? unix_url() : "tcp://127.0.0.1:0";
    made.max_value_bytes = 1 << 20;
    host_ = host_store(made);
    made.url = host_->url();
    client_settings_ = made;
    store_ = way == Way::kHost ? host_ : join_store(made, soon());
  }

  std::shared_ptr<Store> host_;
  std::shared_ptr<Store> store_;
  StoreSettings client_settings_;
};

TEST_P(Operations, SetGetRemove) {
  store_->set("a", "1", 0);
  EXPECT_EQ(store_->get("a", soon()), "1");
  store_->set("a", std::string("\0\xff", 2), -1);
  EXPECT_EQ(store_->get("a", soon()), std::string("\0\xff", 2));
  store_->set("empty", "", 0);
  EXPECT_EQ(store_->get("empty", soon()), "");
  EXPECT_TRUE(store_->remove("a"));
  EXPECT_FALSE(store_->remove("a"));
  EXPECT_ERROR(store_->get("a", Deadline::in_ms(20)), PS_ERR_TIMEOUT, "\"a\"", "nobody set");
}

TEST_P(Operations, GetWaitsForTheKeyAndBlocksNobodyElse) {
  std::thread waiter([&] { EXPECT_EQ(store_->get("late", soon()), "now"); });
  // These go by while the other waits, through the same store object.
  for (int i = 0; i < 20; ++i) store_->add("count", 1);
  store_->set("late", "now", 0);
  waiter.join();
  EXPECT_EQ(store_->get("count", soon()), "20");
}

TEST_P(Operations, AddKeepsDecimalText) {
  EXPECT_EQ(store_->add("n", 5), 5);
  EXPECT_EQ(store_->add("n", -7), -2);
  EXPECT_EQ(store_->get("n", soon()), "-2");
  store_->set("n", "9223372036854775807", 0);
  EXPECT_ERROR(store_->add("n", 1), PS_ERR_ARGUMENT, "overflows");
  store_->set("word", "five", 0);
  EXPECT_ERROR(store_->add("word", 1), PS_ERR_ARGUMENT, "\"word\"", "no decimal");
}

TEST_P(Operations, CompareAndSet) {
  EXPECT_FALSE(store_->compare_and_set("c", "x", "1", 0));
  EXPECT_TRUE(store_->compare_and_set("c", std::nullopt, "1", 0));
  EXPECT_FALSE(store_->compare_and_set("c", std::nullopt, "2", 0));
  EXPECT_FALSE(store_->compare_and_set("c", "", "2", 0));
  EXPECT_TRUE(store_->compare_and_set("c", "1", "2", 0));
  EXPECT_EQ(store_->get("c", soon()), "2");
}

TEST_P(Operations, AnExpiredKeyIsAbsentWhoeverAsks) {
  store_->set("e", "1", 1);
  store_->set("kept", "1", 600'000);
  // The store's own clock says when it is gone.
  while (!store_->compare_and_set("e", std::nullopt, "2", 0)) {
  }
  EXPECT_EQ(store_->get("e", soon()), "2");
  EXPECT_EQ(store_->get("kept", soon()), "1");
  store_->set("n", "41", 1);
  store_->set("later", "1", 1);
  while (!store_->compare_and_set("later", std::nullopt, "2", 0)) {
  }
  EXPECT_EQ(store_->add("n", 1), 1);
}

TEST_P(Operations, ValuesHaveACap) {
  const std::string most(1 << 20, 'v');
  store_->set("big", most, 0);
  EXPECT_EQ(store_->get("big", soon()), most);
  EXPECT_TRUE(store_->compare_and_set("big", most, most, 0));
  EXPECT_ERROR(store_->set("big", most + "v", 0), PS_ERR_ARGUMENT, "\"big\"", "1048577", "max_value_bytes");
  EXPECT_ERROR(store_->set("", "v", 0), PS_ERR_ARGUMENT, "1 to");
  EXPECT_EQ(store_->get("big", soon()).size(), most.size()) << "an error does not end the connection";
}

TEST_P(Operations, ManyThreadsAndClientsAddAtOnce) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 50;
  run_ranks(kThreads, [&](int rank) {
    const auto mine = rank % 2 == 0 ? store_ : join_store(client_settings_, soon());
    for (int i = 0; i < kRounds; ++i) mine->add("sum", 1);
    mine->set("done/" + std::to_string(rank), "1", 0);
    for (int other = 0; other < kThreads; ++other) mine->get("done/" + std::to_string(other), soon());
    EXPECT_EQ(mine->get("sum", soon()), std::to_string(kThreads * kRounds));
  });
}

TEST_P(Operations, Exchange) {
  uint64_t last = 0;
  std::mutex mutex;
  run_ranks(4, [&](int rank) {
    const auto mine = rank == 0 ? host_ : join_store(client_settings_, soon());
    for (int round = 0; round < 20; ++round) {
      Exchange request = exchange_of(rank, {3, 1, 0, 2});
      request.blob = std::to_string(rank * 1000 + round);
      const Exchanged result = mine->exchange(request, soon(), [] {});
      ASSERT_EQ(result.blobs.size(), 4u);
      EXPECT_EQ(result.blobs[0], std::to_string(3000 + round));
      EXPECT_EQ(result.blobs[2], std::to_string(round));
      std::lock_guard lock(mutex);
      EXPECT_GE(result.serial + 1, last) << "serials grow";
      last = std::max(last, result.serial);
    }
  });
  EXPECT_EQ(last, 20u);
}

INSTANTIATE_TEST_SUITE_P(Ways, Operations,
                         ::testing::Values(Way::kMemory, Way::kHost, Way::kUnix, Way::kTcp, Way::kTcpWithSecret));

TEST(Key, WhatACallersKeyMayBe) {
  for (const std::string& key : {std::string("a"), std::string(1024, 'k'),
                                 std::string("gr\xc3\xbc\xc3\x9f/\xe4\xb8\x96/\xf0\x9f\x98\x80")}) {
    EXPECT_NO_THROW(check_key(key));
  }
  EXPECT_ERROR(check_key(""), PS_ERR_ARGUMENT, "1 to 1024");
  EXPECT_ERROR(check_key(std::string(1025, 'k')), PS_ERR_ARGUMENT, "1025");
  EXPECT_ERROR(check_key("\x01x"), PS_ERR_ARGUMENT, "library's own");
  for (const char* bad : {"a\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "x\xe4\xb8", "\xff"}) {
    EXPECT_ERROR(check_key(bad), PS_ERR_ARGUMENT, "not UTF-8");
  }
}

}  // namespace
}  // namespace ps
