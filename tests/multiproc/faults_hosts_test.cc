// What goes wrong between hosts, in worlds whose processes say that they are on different ones: their data and what they
// tell each other go over Gloo's connections, and whom no connection reaches is told by the store.
#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// `hosts`: a letter for each rank.
psContext join_on_host(const Rank& self, const std::string& hosts) {
  ::setenv("PS_HOST_ID", hosts.substr(static_cast<size_t>(self.rank), 1).c_str(), 1);
  psConfig config = self.config();
  config.flags = PS_HOST_ONLY;
  config.backend = nullptr;
  psContext context = nullptr;
  ok(psInit(&config, &context));
  return context;
}

psResult sum_one(psGroup group, int32_t& value) {
  value = 1;
  return psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr);
}

void finish(psContext context, std::vector<psGroup> groups) {
  for (psGroup group : groups) ok(psGroupFree(group));
  ok(psFinalize(context));
}

// So late that the others have turned to all members, and would have found somebody lost.
constexpr std::chrono::milliseconds kLate{1800};

// Rank 0 serves the store and dies. The others have every connection that their sums need, and one of them comes late.
const RankProgram kStoreIsGone("late_without_a_store", [](const Rank& self) {
  psContext context = join_on_host(self, "aabb");
  const int32_t members[] = {1, 2, 3};
  psGroup group = nullptr;
  int32_t value = 0;
  if (self.rank > 0) {
    ok(psNewGroup(context, members, 3, nullptr, &group));
    ok(sum_one(group, value));
  }
  self.say("ready");
  self.hear("go");
  if (self.rank == 3) std::this_thread::sleep_for(kLate);
  ok(sum_one(group, value));
  must(value == 3, "the sum is wrong");
  // Two that have no connection yet find none now.
  if (self.rank == 1) {
    const psResult result = psSend(group, &value, 1, PS_INT32, 2, 1, nullptr, nullptr);
    self.say_result("sent", result);
  }
  self.say("done");
  self.hear("end");
  Rank::vanish();
});

TEST(Hosts, GoOnWithoutTheStoreThoughOneIsLate) {
  World world("late_without_a_store", 4);
  world.hear_all("ready");
  world.kill(0);
  for (const int rank : {1, 2, 3}) world.tell(rank, "go");
  const Line sent = world.hear(1, "sent");
  EXPECT_EQ(sent.code(), "PS_ERR_PEER_FAILED");
  expect_contains(sent.text(), {world.name(3), "connecting needs the world's store"});
  for (const int rank : {1, 2, 3}) world.hear(rank, "done");
  for (const int rank : {1, 2, 3}) world.tell(rank, "end");
}

// Who waited long has turned to the late one, who never had a reason to turn back.
const RankProgram kFreedAfterALateOne("freed_after_a_late_one", [](const Rank& self) {
  psContext context = join_on_host(self, "aabb");
  const int32_t members[] = {0, 1, 2, 3};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  const psGroup world = self.world(context);
  int64_t fastest_ns = INT64_MAX;
  for (int attempt = 0; attempt < 3; ++attempt) {
    psGroup group = nullptr;
    ok(psNewGroup(context, members, 4, &options, &group));
    int32_t value = 0;
    ok(sum_one(group, value));
    if (self.rank == 3) std::this_thread::sleep_for(kLate / 2);
    ok(sum_one(group, value));
    const int64_t begin = now_ns();
    ok(psGroupFree(group));
    fastest_ns = std::min(fastest_ns, now_ns() - begin);
    // Who has left is not waited for.
    ok(psBarrier(world, nullptr));
  }
  // Each such wait is one of five seconds; a loaded machine does not hold up all three.
  must(fastest_ns < 4'000'000'000, "psGroupFree waits for a connection that nobody needs");
  finish(context, {world});
});

TEST(Hosts, FreeAtOnceThoughOneWasLate) { World("freed_after_a_late_one", 4).end(); }

// Rank 0 waits for one of its own host, and rank 3 aborts; those between them are in no call.
const RankProgram kFarAbort("far_abort", [](const Rank& self) {
  psContext context = join_on_host(self, "aabb");
  const psGroup world = self.world(context);
  int32_t value = 0;
  ok(sum_one(world, value));
  self.say("ready");
  if (self.rank != 0) self.hear("go");
  if (self.rank == 3) ok(psGroupAbort(world, "the data are wrong"));
  const psResult result = self.rank == 0 ? psRecv(world, &value, 1, PS_INT32, 1, 1, nullptr, nullptr)
                                         : psBarrier(world, nullptr);
  self.say_result("error", result);
  finish(context, {world});
});

TEST(Hosts, AnAbortReachesWhoeverWaitsOnAnotherHost) {
  World world("far_abort", 4);
  world.hear_all("ready");
  world.tell(3, "go");
  for (const int rank : {3, 0, 1, 2}) {
    if (rank == 1 || rank == 2) world.tell(rank, "go");
    const Line error = world.hear(rank, "error");
    EXPECT_EQ(error.code(), "PS_ERR_ABORTED");
    expect_contains(error.text(), {"rank 3 ", "aborted group 'world'"});
  }
  world.end();
}

// Ports of this process's connections, 0 where there are no more; those to a port of `ended` are ended.
std::array<int32_t, 8> connected_ports(const std::vector<int32_t>& ended = {}) {
  std::array<int32_t, 8> ports{};
  size_t count = 0;
  DIR* const directory = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    sockaddr_in own{};
    sockaddr_in peer{};
    socklen_t own_size = sizeof own;
    socklen_t peer_size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0 || peer.sin_family != AF_INET) continue;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size);
    must(count < ports.size(), "there are more connections than expected");
    ports[count++] = ntohs(own.sin_port);
    if (std::find(ended.begin(), ended.end(), ntohs(peer.sin_port)) != ended.end()) ::shutdown(fd, SHUT_RDWR);
  }
  ::closedir(directory);
  return ports;
}

// The connection between ranks 0 and 1, who both live on, ends; rank 1 waits for a message by it. Rank 0 sends by it, or
// has to do with rank 2 alone.
const RankProgram kCut("cut_connection", [](const Rank& self) {
  psContext context = join_on_host(self, "abc");
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  // Over what else shows no connection.
  const auto own = connected_ports();
  std::array<std::array<int32_t, 8>, 3> all{};
  ok(psAllGather(world, own.data(), all.data(), own.size(), PS_INT32, nullptr, nullptr));
  int32_t value = 0;
  if (self.rank == 1) {
    std::vector<int32_t> ended;
    std::copy_if(all[0].begin(), all[0].end(), std::back_inserter(ended), [](int32_t port) { return port != 0; });
    connected_ports(ended);
  }
  psResult result = PS_OK;
  if (self.rank == 0 && self.argument(0) == "send") {
    const int64_t until = now_ns() + 20'000'000'000 * patience();
    while (result == PS_OK && now_ns() < until) result = psSend(world, &value, 1, PS_INT32, 1, 1, nullptr, nullptr);
  } else {
    const int from = self.rank == 1 ? 0 : 2 - self.rank;
    result = psRecv(world, &value, 1, PS_INT32, from, 2, nullptr, nullptr);
  }
  self.say_result("error", result);
  self.hear("end");
  finish(context, {world});
});

TEST(Hosts, AConnectionThatEndsIsAnErrorForAll) {
  for (const char* way : {"send", "recv"}) {
    World world("cut_connection", 3, {way});
    for (const Line& error : world.hear_all("error")) {
      EXPECT_EQ(error.code(), "PS_ERR_PEER_FAILED") << way;
      expect_contains(error.text(), {"cannot be reached any more"});
    }
    world.tell_all("end");
    world.end();
  }
}

// The process that serves the store is stopped, and nobody has a connection yet.
const RankProgram kStoppedStore("stopped_store", [](const Rank& self) {
  psContext context = join_on_host(self, "abc");
  const psGroup world = self.world(context);
  if (self.rank > 0) ok(psGroupSetTimeout(world, 1000));
  self.say("ready");
  self.hear("go");
  if (self.rank > 0) {
    self.say_result("error", psBarrier(world, nullptr));
    psGroupInfo info = PS_GROUP_INFO_INIT;
    ok(psGetGroupInfo(world, &info));
    must(info.failure == PS_ERR_TIMEOUT, "the group has not failed");
  }
  ok(psGroupFree(world));
  self.say("freed");
  self.hear("end");
  finish(context, {});
});

TEST(Hosts, NobodyWaitsForAStoppedStoreBeyondItsDeadline) {
  World world("stopped_store", 3);
  world.hear_all("ready");
  world.signal(0, SIGSTOP);
  for (const int rank : {1, 2}) world.tell(rank, "go");
  for (const int rank : {1, 2}) {
    const Line error = world.hear(rank, "error");
    EXPECT_EQ(error.code(), "PS_ERR_TIMEOUT");
    expect_contains(error.text(), {world.name(0)});
    world.hear(rank, "freed");
  }
  world.signal(0, SIGCONT);
  world.tell(0, "go");
  world.hear(0, "freed");
  world.tell_all("end");
  world.end();
}

}  // namespace
}  // namespace faults
