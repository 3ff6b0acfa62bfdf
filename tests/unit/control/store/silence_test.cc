// A host that says nothing, as one whose process is stopped, is waited for as long as the caller wants, and is not gone.
#include <condition_variable>

#include "control/store/store_bell.h"
#include "support.h"

namespace ps {
namespace {

// Between clients and a store; what clients send does not go on while it is shut.
class Gate {
 public:
  explicit Gate(const std::string& store_url)
      : proxy_(store_url, [this](std::string&, bool to_store) { pass(to_store); }) {}
  ~Gate() { set_open(true); }

  std::string url() const { return proxy_.url(); }
  void set_open(bool open) {
    const std::lock_guard lock(mutex_);
    is_open_ = open;
    changed_.notify_all();
  }
  void shut_with_next_answer() {
    const std::lock_guard lock(mutex_);
    is_last_answer_ = true;
  }
  void wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_ > 0; });
  }

 private:
  void pass(bool to_store) {
    std::unique_lock lock(mutex_);
    if (!to_store) {
      if (is_last_answer_) is_open_ = false;
      return;
    }
    if (is_open_) return;
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
    --held_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = true;
  bool is_last_answer_ = false;
  int held_ = 0;
  Proxy proxy_;
};

class Silence : public StoreTest {
 protected:
  const std::shared_ptr<Store> host_ = host_store(settings("tcp://127.0.0.1:0", "", ""));
  Gate gate_{host_->url()};
};

TEST_F(Silence, IsATimeoutWhereAConnectionMustBeMadeAndTheStoreGoesOnAfterIt) {
  const auto client = join_store(settings(gate_.url(), "", ""), soon());
  std::atomic<bool> is_waiting = false;
  // It occupies the one connection that there is.
  std::thread waiter([&] { EXPECT_EQ(client->get("late", soon(), [&] { is_waiting = true; }), "now"); });
  while (!is_waiting) std::this_thread::yield();
  gate_.set_open(false);
  EXPECT_ERROR(client->get("other", Deadline::in_ms(1)), PS_ERR_TIMEOUT, "did not answer", "may be stopped");
  gate_.set_open(true);
  EXPECT_EQ(client->add("n", 1), 1);
  client->set("late", "now", 0);
  waiter.join();
}

// By a connection that stands, and where one must be made.
TEST_F(Silence, KeepsNobodyLongerThanTheCallerWants) {
  StoreSettings patient = settings(gate_.url(), "", "");
  patient.timeout_ms = 1'000'000;
  const auto client = join_store(patient, soon());
  gate_.set_open(false);
  const StopCheck enough = [] { throw Error(PS_ERR_ABORTED, "enough"); };
  EXPECT_ERROR(client->set("a", "1", 0, enough), PS_ERR_ABORTED, "enough");
  EXPECT_ERROR(client->compare_and_set("b", std::nullopt, "1", 0, enough), PS_ERR_ABORTED, "enough");
  gate_.set_open(true);
  EXPECT_EQ(client->add("n", 1), 1);
}

TEST_F(Silence, KeepsNobodyWhoStopsListeningForABell) {
  StoreSettings patient = settings(gate_.url(), "", "");
  patient.timeout_ms = 1'000'000;
  StoreBell bell(join_store(patient, soon()), 7, 3);
  gate_.shut_with_next_answer();
  bell.add(&bell, [] {});
  StoreBell(host_, 7, 1).ring(3);
  gate_.wait_for_somebody();  // the bell, which takes the ring away
  bell.stop();
}

}  // namespace
}  // namespace ps
