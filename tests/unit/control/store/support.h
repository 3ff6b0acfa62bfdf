// What the store's tests share: a deadline for each, a directory for each, ranks on threads, and raw sockets.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../../../scratch_folder.h"
#include "base/error.h"
#include "control/store/socket.h"
#include "control/store/store.h"
#include "control/store/stream.h"

namespace ps {

class StoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGALRM, [](int) { say_what_hung(); });
    ::alarm(100);  // a hang is a failure
  }
  void TearDown() override {
    ::alarm(0);
  }

  StoreSettings settings(const std::string& url, const std::string& secret = "", const std::string& job = "job") const {
    StoreSettings made;
    made.url = url;
    made.secret = secret;
    made.job = job;
    made.timeout_ms = 30'000;
    return made;
  }
  std::string unix_url() const { return "unix://" + directory_ + "/socket"; }

  const ps_test::ScratchFolder folder_{"store"};
  const std::string directory_ = folder_.path();

 private:
  static void say_what_hung() {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string text = std::string(test->test_suite_name()) + "." + test->name() + " hangs\n";
    static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
    ::_exit(1);
  }
};

inline Deadline soon() { return Deadline::in_ms(30'000); }

// The error that `call` throws; PS_OK if none.
inline Error error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(PS_OK, "no error");
}

#define EXPECT_ERROR(call, expected_code, ...)                                     \
  do {                                                                             \
    const ps::Error error = ps::error_of([&] { call; });                           \
    EXPECT_EQ(error.code(), expected_code) << error.text();                        \
    for (const std::string& part : std::vector<std::string>{__VA_ARGS__}) {        \
      EXPECT_NE(error.text().find(part), std::string::npos) << error.text();       \
    }                                                                              \
  } while (false)

inline void run_ranks(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) threads.emplace_back(body, rank);
  for (std::thread& thread : threads) thread.join();
}

inline Exchange exchange_of(int32_t rank, std::vector<int32_t> members, const std::string& scope = "test") {
  Exchange request;
  request.scope = scope;
  request.members = std::move(members);
  request.rank = rank;
  request.blob = "blob of " + std::to_string(rank);
  request.who = "rank " + std::to_string(rank) + ", pid 7 on host h";
  return request;
}

// A listener on a free loopback port.
class TestListener {
 public:
  TestListener() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(fd_.get(), 64) != 0) {
      throw std::runtime_error("no test listener");
    }
    port_ = port_of(local_address(fd_.get()));
  }
  std::string url() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  uint16_t port() const { return port_; }
  int fd() const { return fd_.get(); }
  int release() { return fd_.release(); }

 private:
  Descriptor fd_;
  uint16_t port_ = 0;
};

// A server that does `serve` with each connection, until it is destroyed.
class TestServer {
 public:
  explicit TestServer(std::function<void(Stream&)> serve) : serve_(std::move(serve)), thread_([this] { run(); }) {}
  ~TestServer() {
    stopped_ = true;
    thread_.join();
  }
  std::string url() const { return listener_.url(); }

 private:
  void run() {
    while (!stopped_) {
      if (!wait_for_events(listener_.fd(), POLLIN, Deadline::in_ms(10))) continue;
      Descriptor fd(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!fd) continue;
      Stream stream(std::move(fd));
      try {
        serve_(stream);
      } catch (const StreamEnded&) {
      } catch (const StreamTimeout&) {
      }
    }
  }

  TestListener listener_;
  std::function<void(Stream&)> serve_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

// Connects to a tcp:// or unix:// URL without saying anything.
Stream connect_raw(const std::string& url);

// Passes bytes on between clients and a store, keeps what clients sent, and lets `edit` change a piece on its way.
class Proxy {
 public:
  using Edit = std::function<void(std::string& piece, bool to_store)>;
  explicit Proxy(std::string store_url, Edit edit = nullptr);
  ~Proxy();
  std::string url() const { return listener_.url(); }
  std::string sent_by_clients();

 private:
  void run();
  void pass_on(Descriptor client);

  const std::string store_url_;
  const Edit edit_;
  TestListener listener_;
  std::atomic<bool> stopped_ = false;
  std::mutex mutex_;
  std::string recorded_;
  std::vector<std::thread> pairs_;
  std::thread thread_;
};

}  // namespace ps
