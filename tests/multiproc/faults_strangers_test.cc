// Whoever can reach a host can connect where a rank waits for its peer, and say anything there. Between hosts, so over Gloo.
#include <arpa/inet.h>
#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr int kSize = 3;
constexpr int kWaitMs = 20'000;

// Rank 0 waits for the others, who come when the test says so.
const RankProgram kWaitsAmongStrangers("waits_among_strangers", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::array<int64_t, kSize> values{};
  if (self.rank == 0) {
    std::array<psWork, kSize> works{};
    for (int peer = 1; peer < kSize; ++peer) {
      const auto i = static_cast<size_t>(peer);
      ok(psRecv(world, &values[i], 1, PS_INT64, peer, 0, nullptr, &works[i]));
    }
    self.say("waiting");
    for (int peer = 1; peer < kSize; ++peer) {
      const auto i = static_cast<size_t>(peer);
      ok(psWorkWait(works[i], -1));
      ok(psWorkFree(works[i]));
      must(values[i] == 70 + peer, "received something else");
    }
  } else {
    self.hear("come");
    values[0] = 70 + self.rank;
    ok(psSend(world, values.data(), 1, PS_INT64, 0, 0, nullptr, nullptr));
  }
  int64_t sum = 1;
  ok(psAllReduce(world, &sum, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr));
  must(sum == self.size, "the sum is wrong");
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

std::set<std::string> sockets_of(pid_t pid) {
  std::set<std::string> inodes;
  const std::string folder = "/proc/" + std::to_string(pid) + "/fd";
  DIR* directory = ::opendir(folder.c_str());
  if (directory == nullptr) return inodes;
  while (const dirent* entry = ::readdir(directory)) {
    char target[64];
    const ssize_t length = ::readlink((folder + "/" + entry->d_name).c_str(), target, sizeof target);
    const std::string name(target, length > 0 ? static_cast<size_t>(length) : 0);
    if (name.starts_with("socket:[")) inodes.insert(name.substr(8, name.size() - 9));
  }
  ::closedir(directory);
  return inodes;
}

// At which a process listens by TCP.
std::vector<uint16_t> ports_of(pid_t pid) {
  const std::set<std::string> own = sockets_of(pid);
  std::vector<uint16_t> ports;
  std::ifstream table("/proc/net/tcp");
  std::string line;
  for (std::getline(table, line); std::getline(table, line);) {
    std::istringstream words(line);
    std::string word, local, state, inode;
    words >> word >> local >> word >> state;
    for (int i = 0; i < 6; ++i) words >> inode;
    if (state == "0A" && own.contains(inode)) {
      ports.push_back(static_cast<uint16_t>(std::stoul(local.substr(local.find(':') + 1), nullptr, 16)));
    }
  }
  return ports;
}

class Stranger {
 public:
  explicit Stranger(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << std::strerror(errno);
  }
  Stranger(Stranger&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Stranger& operator=(Stranger&& other) noexcept {
    std::swap(socket_, other.socket_);
    return *this;
  }
  ~Stranger() {
    if (socket_ >= 0) ::close(socket_);
  }

  void say(const void* bytes, size_t size) const {
    EXPECT_EQ(::send(socket_, bytes, size, MSG_NOSIGNAL), static_cast<ssize_t>(size));
  }
  // From now on the other side finds no peer at its end of the connection.
  void reset() {
    const linger at_once = {.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(std::exchange(socket_, -1));
  }
  void expect_sent_away() const {
    pollfd entry = {.fd = socket_, .events = POLLIN, .revents = 0};
    EXPECT_EQ(::poll(&entry, 1, kWaitMs), 1) << "a stranger is still listened to";
    char byte;
    EXPECT_LE(::recv(socket_, &byte, 1, MSG_DONTWAIT), 0);
  }

 private:
  int socket_;
};

// What a member that is connected would begin a frame with.
struct Preamble {
  uint64_t bytes, opcode, slot, offset, length, remote_offset;
};

TEST(Strangers, DisturbNobody) {
  World world("waits_among_strangers", kSize);
  world.hear(0, "waiting");
  std::vector<uint16_t> ports;
  for (const int64_t until = now_ns() + kWaitMs * int64_t{1'000'000}; ports.size() < kSize - 1 && now_ns() < until;) {
    ports = ports_of(world.pid(0));
    ::poll(nullptr, 0, 5);
  }
  ASSERT_EQ(ports.size(), kSize - 1U) << "rank 0 listens elsewhere";

  std::vector<Stranger> who_stay;
  for (const uint16_t port : ports) {
    // So that the reset is there before anybody is let in.
    world.signal(0, SIGSTOP);
    Stranger(port).reset();
    world.signal(0, SIGCONT);

    for (const uint64_t opcode : {1, 0, 2, 3, 77}) {
      const Preamble preamble = {sizeof preamble + 16, opcode, 1, 0, 16, 0};
      const Stranger stranger(port);
      stranger.say(&preamble, sizeof preamble);
      stranger.expect_sent_away();
    }
    // More say too little than can stay.
    const std::array<char, 16> word{};
    const Stranger first(port);
    for (size_t i = 0; i < 10; ++i) who_stay.emplace_back(port).say(word.data(), i);
    first.expect_sent_away();
  }
  world.tell(1, "come");
  world.tell(2, "come");
  world.end();
}

}  // namespace
}  // namespace faults
