// What goes wrong in an exchange is told to all that wait in it, alike.
#include <spawn.h>
#include <sys/wait.h>

#include <cstdlib>

#include "support.h"

extern char** environ;

namespace ps {
namespace {

class ExchangeTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    host_ = host_store(settings(unix_url(), "", ""));
  }
  std::shared_ptr<Store> client() { return join_store(settings(host_->url(), "", ""), soon()); }
  // The store serves in order: once a newcomer is answered, whoever spoke before has arrived.
  void settle() { client()->add("settled", 1); }

  std::shared_ptr<Store> host_;
};

// Calls exchange on a thread and keeps its error.
class Caller {
 public:
  Caller(std::shared_ptr<Store> store, Exchange request)
      : thread_([this, store = std::move(store), request = std::move(request)] {
          error_ = error_of([&] {
            store->exchange(request, soon(), [this] {
              if (!waits_.exchange(true)) waits_.notify_all();
            });
          });
          if (!waits_.exchange(true)) waits_.notify_all();
        }) {}
  // Until it has asked; a store that is far away may not have heard yet.
  Caller& wait() {
    waits_.wait(false);
    return *this;
  }
  Error join() {
    thread_.join();
    return error_;
  }

 private:
  std::atomic<bool> waits_ = false;
  Error error_{PS_OK, ""};
  std::thread thread_;
};

TEST_F(ExchangeTest, TimeoutListsWhoArrivedAndWhoIsMissing) {
  Caller patient(client(), exchange_of(0, {0, 1, 2, 3}));
  patient.wait();
  settle();
  const Error hurried =
      error_of([&] { host_->exchange(exchange_of(2, {0, 1, 2, 3}), Deadline::in_ms(20), [] {}); });
  for (const Error& error : {hurried, patient.join()}) {
    EXPECT_EQ(error.code(), PS_ERR_TIMEOUT);
    EXPECT_EQ(error.culprit(), 1);
    for (const char* part : {"\"test\"", "2 of 4 ranks arrived", "Missing: rank 1; rank 3.",
                             "Arrived: rank 0, pid 7 on host h; rank 2, pid 7 on host h."}) {
      EXPECT_NE(error.text().find(part), std::string::npos) << error.text();
    }
  }
}

TEST_F(ExchangeTest, ARoundAfterATimeoutWorks) {
  EXPECT_ERROR(host_->exchange(exchange_of(0, {0, 1}), Deadline::in_ms(10), [] {}), PS_ERR_TIMEOUT, "Missing: rank 1");
  const auto other = client();
  run_ranks(2, [&](int rank) {
    const auto& mine = rank == 0 ? host_ : other;
    EXPECT_EQ(mine->exchange(exchange_of(rank, {0, 1}), soon(), [] {}).blobs[1], "blob of 1");
  });
}

TEST_F(ExchangeTest, AnEndedConnectionIsAPeerThatFailed) {
  struct Cut {};
  Caller waits(client(), exchange_of(0, {0, 1, 2}));
  waits.wait();
  const auto doomed = client();
  EXPECT_THROW(doomed->exchange(exchange_of(1, {0, 1, 2}), soon(), [] { throw Cut(); }), Cut);
  const Error error = waits.join();
  EXPECT_EQ(error.code(), PS_ERR_PEER_FAILED);
  EXPECT_EQ(error.culprit(), 1);
  EXPECT_NE(error.text().find("rank 1, pid 7 on host h is gone"), std::string::npos) << error.text();
}

// The other process of the next test.
TEST(ExchangeChild, DISABLED_Waits) {
  StoreSettings settings;
  settings.url = ::getenv("PS_TEST_STORE");
  const auto store = join_store(settings, soon());
  store->exchange(exchange_of(1, {0, 1, 2}), soon(), [&] { store->set("waiting", "1", 0); });
}

TEST_F(ExchangeTest, AKilledProcessIsAPeerThatFailed) {
  ::setenv("PS_TEST_STORE", host_->url().c_str(), 1);
  const char* arguments[] = {"child", "--gtest_filter=ExchangeChild.DISABLED_Waits", "--gtest_also_run_disabled_tests",
                             "--gtest_brief=1", nullptr};
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, const_cast<char**>(arguments), environ), 0);
  Caller waits(host_, exchange_of(0, {0, 1, 2}));
  waits.wait();
  host_->get("waiting", soon());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  const Error error = waits.join();
  EXPECT_EQ(error.code(), PS_ERR_PEER_FAILED) << error.text();
  EXPECT_EQ(error.culprit(), 1);
}

TEST_F(ExchangeTest, WhoGivesUpSaysWhyAndBlamesWhoDied) {
  Caller waits(client(), exchange_of(0, {0, 1, 2}));
  waits.wait();
  const auto leaving = client();
  EXPECT_ERROR(leaving->exchange(exchange_of(1, {0, 1, 2}), soon(),
                                 [] { throw Error(PS_ERR_PEER_FAILED, "rank 2 died", 2); }),
               PS_ERR_PEER_FAILED, "rank 2 died");
  const Error error = waits.join();
  EXPECT_EQ(error.code(), PS_ERR_PEER_FAILED);
  EXPECT_EQ(error.culprit(), 2);
  EXPECT_NE(error.text().find("rank 1, pid 7 on host h gave up waiting: rank 2 died"), std::string::npos)
      << error.text();

  // The same for a rank that shares the store's process; a stop of its own is its own fault.
  Caller again(client(), exchange_of(0, {0, 1, 2}));
  again.wait();
  settle();
  EXPECT_ERROR(host_->exchange(exchange_of(1, {0, 1, 2}), soon(), [] { throw Error(PS_ERR_ABORTED, "aborted"); }),
               PS_ERR_ABORTED, "aborted");
  const Error aborted = again.join();
  EXPECT_EQ(aborted.code(), PS_ERR_PEER_FAILED);
  EXPECT_EQ(aborted.culprit(), 1);
}

TEST_F(ExchangeTest, DifferentMemberListsOfRanksThatWaitForEachOther) {
  Caller first(client(), exchange_of(0, {0, 1, 2}, "group"));
  Caller second(client(), exchange_of(1, {1, 0}, "group"));
  for (const Error& error : {first.join(), second.join()}) {
    EXPECT_EQ(error.code(), PS_ERR_MISMATCH);
    EXPECT_NE(error.text().find("[0, 1, 2]"), std::string::npos) << error.text();
    EXPECT_NE(error.text().find("[1, 0]"), std::string::npos) << error.text();
    EXPECT_NE(error.text().find("rank 0, pid 7"), std::string::npos) << error.text();
    EXPECT_NE(error.text().find("rank 1, pid 7"), std::string::npos) << error.text();
  }
}

TEST_F(ExchangeTest, ListsThatDoNotWaitForEachOtherAreNoConflict) {
  // 0 waits for 1 in {0, 1}; 1 is still in {1, 2}, which has no 0.
  const auto one = client();
  Caller zero(client(), exchange_of(0, {0, 1}, "group"));
  Caller two(client(), exchange_of(2, {1, 2}, "group"));
  one->exchange(exchange_of(1, {1, 2}, "group"), soon(), [] {});
  one->exchange(exchange_of(1, {0, 1}, "group"), soon(), [] {});
  EXPECT_EQ(zero.join().code(), PS_OK);
  EXPECT_EQ(two.join().code(), PS_OK);
}

TEST_F(ExchangeTest, TheSameRankTwice) {
  Caller first(client(), exchange_of(1, {0, 1}));
  Caller second(client(), exchange_of(1, {0, 1}));
  for (const Error& error : {first.join(), second.join()}) {
    EXPECT_EQ(error.code(), PS_ERR_ARGUMENT);
    EXPECT_NE(error.text().find("rank 1 arrived twice"), std::string::npos) << error.text();
  }
}

// A store that a world made for itself tells a conflict to its own rank 0 too, which would wait in vain otherwise; in a
// served one that rank may be the next world's.
TEST_F(ExchangeTest, ConflictsBeforeTheLastRankArrives) {
  for (const char* scheme : {"unix", "mem"}) {
    const std::string url = std::string(scheme) + "://" + directory_ + "/world";
    const auto host = meet_store(settings(url), soon());
    const auto one = join_store(settings(url), soon());
    const auto two = join_store(settings(url), soon());
    Caller first(one, exchange_of(1, {0, 1, 2}));
    Caller second(two, exchange_of(1, {0, 1, 2}));
    EXPECT_EQ(first.join().code(), PS_ERR_ARGUMENT);
    EXPECT_EQ(second.join().code(), PS_ERR_ARGUMENT);
    EXPECT_ERROR(host->exchange(exchange_of(0, {0, 1, 2}), soon(), [] {}), PS_ERR_ARGUMENT, "rank 1 arrived twice");

    Caller small(one, exchange_of(1, {0, 1, 2}, "sizes"));
    Caller large(two, exchange_of(2, {0, 1, 2, 3}, "sizes"));
    EXPECT_EQ(small.join().code(), PS_ERR_MISMATCH);
    EXPECT_EQ(large.join().code(), PS_ERR_MISMATCH);
    EXPECT_ERROR(host->exchange(exchange_of(0, {0, 1, 2}, "sizes"), soon(), [] {}), PS_ERR_MISMATCH, "[0, 1, 2, 3]");
  }
  Caller first(client(), exchange_of(1, {0, 1}));
  Caller second(client(), exchange_of(1, {0, 1}));
  EXPECT_EQ(first.join().code(), PS_ERR_ARGUMENT);
  EXPECT_EQ(second.join().code(), PS_ERR_ARGUMENT);
  EXPECT_ERROR(host_->exchange(exchange_of(0, {0, 1}), Deadline::in_ms(1), [] {}), PS_ERR_TIMEOUT, "1 of 2 ranks");
}

TEST_F(ExchangeTest, RequestsThatAreWrongInThemselves) {
  for (const auto& store : {host_, client()}) {
    Exchange big = exchange_of(0, {0, 1});
    big.blob.assign((16 << 10) + 1, 'x');
    EXPECT_ERROR(store->exchange(big, soon(), [] {}), PS_ERR_ARGUMENT, "16385 bytes", "16384");
    EXPECT_ERROR(store->exchange(exchange_of(0, {0, 0}), soon(), [] {}), PS_ERR_ARGUMENT, "distinct");
    EXPECT_ERROR(store->exchange(exchange_of(5, {0, 1}), soon(), [] {}), PS_ERR_ARGUMENT, "contain the caller");
    EXPECT_EQ(store->exchange(exchange_of(0, {0}), soon(), [] {}).blobs.size(), 1u);
  }
}

TEST_F(ExchangeTest, ManyRanksWithFullBlobs) {
  constexpr int kRanks = 256;
  std::vector<int32_t> members(kRanks);
  for (int i = 0; i < kRanks; ++i) members[i] = i;
  const auto shared = client();
  run_ranks(kRanks, [&](int rank) {
    Exchange request = exchange_of(rank, members);
    request.blob.assign(16 << 10, static_cast<char>(rank));
    const Exchanged result = (rank % 2 == 0 ? host_ : shared)->exchange(request, soon(), nullptr);
    ASSERT_EQ(result.blobs.size(), static_cast<size_t>(kRanks));
    EXPECT_EQ(result.blobs[kRanks - 1], std::string(16 << 10, static_cast<char>(kRanks - 1)));
  });
}

}  // namespace
}  // namespace ps
