// How the ranks of a world come to one store, and how it ends.
#include <fcntl.h>
#include <sys/stat.h>

#include <fstream>

#include "control/store/published_url.h"
#include "control/store/runtime_directory.h"
#include "support.h"

namespace ps {
namespace {

using Meeting = StoreTest;

bool exists(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0;
}

// What a killed process leaves: a socket's file that nobody answers.
void leave_stale_socket(const std::string& path) {
  const Descriptor fd = new_stream_socket(AF_UNIX);
  const SocketAddress address = unix_address(path);
  ASSERT_EQ(::bind(fd.get(), address.get(), address.size), 0);
}

TEST_F(Meeting, AnyOrderOfArrival) {
  for (const std::string& url : {unix_url(), "file://" + directory_, std::string("mem://any-order")}) {
    run_ranks(4, [&](int rank) {
      const auto store = rank == 0 ? meet_store(settings(url), soon()) : join_store(settings(url), soon());
      EXPECT_EQ(store->exchange(exchange_of(rank, {0, 1, 2, 3}), soon(), [] {}).blobs[3], "blob of 3");
      store->exchange(exchange_of(rank, {0, 1, 2, 3}, "end"), soon(), [] {});
      drain_store(*store, soon());
    });
  }
}

TEST_F(Meeting, AStaleSocketIsReplacedAndALiveOneIsNot) {
  const std::string path = directory_ + "/socket";
  leave_stale_socket(path);
  {
    const auto store = host_store(settings(unix_url()));
    EXPECT_ERROR(host_store(settings(unix_url())), PS_ERR_SYSTEM, "in use", path);
    EXPECT_EQ(join_store(settings(unix_url()), soon())->add("n", 1), 1);
    struct stat status;
    ASSERT_EQ(::lstat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
  }
  EXPECT_FALSE(exists(path)) << "removed at its end";
  std::ofstream(path) << "precious";
  EXPECT_ERROR(host_store(settings(unix_url())), PS_ERR_SYSTEM, "no socket");
  EXPECT_TRUE(exists(path));
}

TEST_F(Meeting, TheUsersDirectoryIsMadeForItAlone) {
  const std::string path = runtime_directory() + "/test-" + std::to_string(::getpid());
  {
    const auto store = host_store(settings("unix://" + path));
    struct stat status;
    ASSERT_EQ(::lstat(runtime_directory().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700u);
    EXPECT_EQ(status.st_uid, ::geteuid());
  }
  EXPECT_FALSE(exists(path));
}

TEST_F(Meeting, IPv6AndTheHostsName) {
  const auto six = host_store(settings("tcp://[::1]:0"));
  EXPECT_EQ(six->url().rfind("tcp://[::1]:", 0), 0u) << six->url();
  EXPECT_EQ(join_store(settings(six->url()), soon())->add("n", 1), 1);
  const auto named = host_store(settings("tcp://localhost:0"));
  EXPECT_EQ(join_store(settings(named->url()), soon())->add("n", 1), 1);
}

TEST_F(Meeting, WhoHoldsThePortIsNamed) {
  TestListener listener;
  EXPECT_ERROR(host_store(settings(listener.url())), PS_ERR_SYSTEM, "(pid " + std::to_string(::getpid()) + ")");
  EXPECT_ERROR(host_store(settings("tcp://192.0.2.1:1", "s")), PS_ERR_SYSTEM, "no address of this host");
}

TEST_F(Meeting, RankZeroUsesAServedStoreAndNoOtherWorlds) {
  const auto served = host_store(settings("tcp://127.0.0.1:0", "s", ""));
  const auto zero = meet_store(settings(served->url(), "s", "one"), soon());
  const auto one = join_store(settings(served->url(), "s", "one"), soon());
  zero->set("k", "v", 0);
  EXPECT_EQ(one->get("k", soon()), "v");
  EXPECT_EQ(served->get("k", soon()), "v");

  const auto world = meet_store(settings("tcp://127.0.0.1:0", "s", "first"), soon());
  EXPECT_ERROR(meet_store(settings(world->url(), "s", "second"), soon()), PS_ERR_SYSTEM, "\"first\"", "\"second\"");
  EXPECT_ERROR(meet_store(settings(world->url(), "s", "first"), soon()), PS_ERR_SYSTEM, "hosts its own world");
}

TEST_F(Meeting, AFilePublishesTheStoreAndAStaleOneIsReplaced) {
  const std::string url = "file://" + directory_;
  const std::string file = published_url_path(directory_, "a/b");
  EXPECT_EQ(file, directory_ + "/parallelstate-a%2fb");
  std::ofstream(file) << "unix://" << directory_ << "/dead\n";
  leave_stale_socket(directory_ + "/dead");
  {
    std::thread joiner([&] { EXPECT_EQ(join_store(settings(url, "", "a/b"), soon())->get("k", soon()), "v"); });
    const auto store = meet_store(settings(url, "", "a/b"), soon());
    store->set("k", "v", 0);
    joiner.join();
    EXPECT_EQ(store->url().rfind("unix://" + runtime_directory(), 0), 0u) << store->url();
    EXPECT_ERROR(meet_store(settings(url, "", "a/b"), soon()), PS_ERR_SYSTEM, "hosts its own world");
  }
  EXPECT_FALSE(exists(file));

  StoreSettings over_network = settings(url, "s");
  over_network.network = "lo";
  const auto tcp = meet_store(over_network, soon());
  EXPECT_EQ(tcp->url().rfind("tcp://127.0.0.1:", 0), 0u) << tcp->url();
  EXPECT_EQ(join_store(settings(url, "s"), soon())->add("n", 1), 1);
  over_network.network = "no-such-interface";
  over_network.job = "other";
  EXPECT_ERROR(meet_store(over_network, soon()), PS_ERR_ARGUMENT, "no-such-interface", "lo 127.0.0.1");
}

TEST_F(Meeting, AnInheritedListener) {
  TestListener listener;
  const std::string url = "fd://" + std::to_string(listener.fd());
  ASSERT_EQ(::fcntl(listener.fd(), F_SETFD, 0), 0);
  for (int round = 0; round < 2; ++round) {
    const auto store = meet_store(settings(url), soon());
    EXPECT_EQ(store->url(), listener.url());
    EXPECT_EQ(::fcntl(listener.fd(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(join_store(settings(store->url()), soon())->add("n", 1), 1);
  }
  EXPECT_ERROR(join_store(settings(url), soon()), PS_ERR_ARGUMENT, "PS_RENDEZVOUS");
  EXPECT_ERROR(meet_store(settings("fd://0"), soon()), PS_ERR_ARGUMENT, "not a listening socket");
}

TEST_F(Meeting, OneMemoryNameIsOneStoreAndEndsWithItsLastUser) {
  StoreSettings any = settings("mem://shared", "", "");
  {
    const auto a = host_store(any);
    const auto b = join_store(any, soon());
    const auto c = meet_store(any, soon());
    a->set("k", "v", 0);
    EXPECT_EQ(b->get("k", soon()), "v");
    EXPECT_EQ(c->get("k", soon()), "v");
    EXPECT_ERROR(join_store(settings("mem://shared", "secret"), soon()), PS_ERR_DENIED);
  }
  EXPECT_ERROR(host_store(any)->get("k", Deadline::in_ms(1)), PS_ERR_TIMEOUT);
}

TEST_F(Meeting, AnOrderlyEndIsClosedAndACrashIsAFailedPeer) {
  auto host = host_store(settings(unix_url()));
  const auto client = join_store(settings(unix_url()), soon());
  std::thread waits([&] { EXPECT_ERROR(client->get("never", soon()), PS_ERR_CLOSED, "closed"); });
  EXPECT_EQ(client->add("n", 1), 1);
  host.reset();
  waits.join();
  EXPECT_ERROR(client->add("n", 1), PS_ERR_CLOSED);

  auto proxied = host_store(settings("tcp://127.0.0.1:0"));
  auto cut = std::make_unique<Proxy>(proxied->url());
  const auto far = join_store(settings(cut->url()), soon());
  EXPECT_EQ(far->add("n", 1), 1);
  cut.reset();
  EXPECT_ERROR(far->add("n", 1), PS_ERR_PEER_FAILED, "the store's host (pid " + std::to_string(::getpid()), "is gone");
  EXPECT_ERROR(far->get("n", soon()), PS_ERR_PEER_FAILED, "is gone");
}

TEST_F(Meeting, DrainWaitsForTheRanks) {
  auto host = meet_store(settings(unix_url()), soon());
  auto client = join_store(settings(unix_url()), soon());
  drain_store(*host, Deadline::in_ms(10));
  EXPECT_EQ(client->add("n", 1), 1) << "still served after the deadline";
  std::thread leaver([&] { client.reset(); });
  drain_store(*host, soon());
  leaver.join();
  drain_store(*host, soon());
}

TEST_F(Meeting, DrainWaitsForNobodyElse) {
  auto host = meet_store(settings(unix_url()), soon());
  const auto visitor = join_store(settings(unix_url(), "", ""), soon());
  EXPECT_EQ(visitor->add("n", 1), 1);
  drain_store(*host, Deadline::never());  // a wait ends by the test's alarm
  EXPECT_EQ(visitor->add("n", 1), 2) << "still served";
  host.reset();
  EXPECT_ERROR(visitor->add("n", 1), PS_ERR_CLOSED, "closed by its host");
}

TEST_F(Meeting, ASealedWorldsLateRankMeetsTheNextWorld) {
  auto first = meet_store(settings(unix_url()), soon());
  auto member = join_store(settings(unix_url()), soon());
  seal_store(*first);
  // A store that is late with its first word is told of as silent.
  std::string told;
  const Deadline end = soon();
  while (told.find("complete and has not ended") == std::string::npos && !end.passed()) {
    const Error error = error_of([&] { join_store(settings(unix_url()), Deadline::in_ms(1000)); });
    ASSERT_EQ(error.code(), PS_ERR_TIMEOUT) << error.text();
    told = error.text();
  }
  EXPECT_NE(told.find("complete and has not ended"), std::string::npos) << told;
  EXPECT_EQ(join_store(settings(unix_url(), "", ""), soon())->add("n", 1), 1) << "a client that is no rank";
  std::thread waits([&] { EXPECT_ERROR(member->get("never", Deadline::in_ms(100)), PS_ERR_TIMEOUT); });
  EXPECT_EQ(member->add("n", 1), 2) << "a member's further connection";
  waits.join();
  std::thread late([&] { EXPECT_EQ(join_store(settings(unix_url()), soon())->get("world", soon()), "second"); });
  member.reset();
  drain_store(*first, soon());
  first.reset();
  const auto second = meet_store(settings(unix_url()), soon());
  second->set("world", "second", 0);
  late.join();
}

TEST_F(Meeting, ManyRoundsLeaveNothing) {
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  for (int round = 0; round < 200; ++round) {
    run_ranks(2, [&](int rank) {
      const StoreSettings made = settings(unix_url());
      const auto store = rank == 0 ? meet_store(made, soon()) : join_store(made, soon());
      store->exchange(exchange_of(rank, {0, 1}), soon(), [] {});
      drain_store(*store, soon());
    });
  }
  EXPECT_EQ(descriptors(), before);
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

}  // namespace
}  // namespace ps
