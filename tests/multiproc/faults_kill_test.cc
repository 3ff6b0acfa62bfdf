// SIGKILL at random moments of random operations: every survivor gets right data or the name of the victim, soon, and
// the groups without it go on. PS_KILLS sets the number of rounds, PS_SEED where they begin.
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>

#include "faults_mix.h"
#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// A death is noticed soon by whoever has the CPU to look, and by all long before an operation's deadline tells of it.
constexpr int64_t kSoonMs = 2000;
constexpr int64_t kNoticeMs = 20'000;

enum Manner {
  kAnyMoment,   // the test kills it, at any moment
  kBeforeCall,  // it stops calling, and is killed while the others wait for it
  kAfterCall,   // it kills itself as soon as a call has returned
  kInsideCall,  // a thread of it kills it during a call
  kManners
};

struct Round {
  int size;
  int victim;
  Manner manner;
  uint64_t step;  // at which the victim dies, or begins to
  bool all_stay;  // else some survivors exit as soon as they have the error
  uint64_t seed;

  std::vector<std::string> arguments() const {
    return {std::to_string(victim), std::to_string(manner), std::to_string(step), std::to_string(all_stay),
            std::to_string(seed)};
  }
};

bool lower_half(int rank, int size) { return rank < size / 2; }

// The ranks of a half of the world, or all but one.
template <class Keep>
std::vector<int32_t> ranks_where(int size, Keep&& keep) {
  std::vector<int32_t> ranks;
  for (int rank = 0; rank < size; ++rank) {
    if (keep(rank)) ranks.push_back(rank);
  }
  return ranks;
}

psGroup make_group(psContext context, const std::vector<int32_t>& ranks, const char* name) {
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = name;
  psGroup group = nullptr;
  ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
  // Without shared memory a group connects at its first use, and by the store, whose host may be the victim.
  ok(psBarrier(group, nullptr));
  return group;
}

void must_go_on(psGroup group, uint64_t seed) {
  for (uint64_t step = 0; step < 6; ++step) ok(run_mixed(group, seed + 1, step));
}

std::string called_victim(psContext context, int victim) {
  psRankInfo info = PS_RANK_INFO_INIT;
  ok(psGetRankInfo(context, victim, &info));
  return "rank " + std::to_string(victim) + " (pid " + std::to_string(info.pid) + " on host " + info.hostname + ")";
}

// The error that a survivor has just got from `group` names the victim everywhere.
void must_name(psGroup group, psResult result, int victim, const std::string& called) {
  const std::string text = psLastError();
  must(result == PS_ERR_PEER_FAILED, std::string("got ") + psResultName(result) + ": " + text);
  must(text.find(called + " ended without psFinalize") != std::string::npos, "does not name " + called + ": " + text);
  must(text.find("its last call was ") != std::string::npos ||
           text.find("it has called no operation yet") != std::string::npos,
       "does not tell the victim's last call: " + text);
  psGroupInfo info = PS_GROUP_INFO_INIT;
  ok(psGetGroupInfo(group, &info));
  must(info.failure == PS_ERR_PEER_FAILED, "psGroupInfo.failure is " + std::to_string(info.failure));
  must(info.failed_global_rank == victim, "psGroupInfo blames rank " + std::to_string(info.failed_global_rank));
  must(std::string(info.failure_text).find(called) != std::string::npos,
       std::string("psGroupInfo says: ") + info.failure_text);
}

void survive(const Rank& self, psContext context, psGroup half, int victim, uint64_t seed) {
  const std::string called = called_victim(context, victim);
  if (lower_half(self.rank, self.size) == lower_half(victim, self.size)) {
    must_name(half, psBarrier(half, nullptr), victim, called);
  } else {
    must_go_on(half, seed);
  }
  const std::vector<int32_t> survivors = ranks_where(self.size, [&](int rank) { return rank != victim; });
  if (victim != 0) {
    const psGroup group = make_group(context, survivors, "survivors");
    must_go_on(group, seed);
    ok(psGroupFree(group));
    return;
  }
  // The store went with rank 0.
  psStore store = nullptr;
  ok(psGetStore(context, &store));
  psResult result = psStoreSet(store, "key", "value", 5, -1);
  must(result == PS_ERR_PEER_FAILED, std::string("psStoreSet: ") + psResultName(result) + ": " + psLastError());
  ok(psStoreFree(store));
  psGroup group = nullptr;
  result = psNewGroup(context, survivors.data(), survivors.size(), nullptr, &group);
  must(result == PS_ERR_PEER_FAILED, std::string("psNewGroup: ") + psResultName(result) + ": " + psLastError());
}

const RankProgram kKillLoop("kill_loop", [](const Rank& self) {
  const int victim = static_cast<int>(self.number(0));
  const auto manner = static_cast<Manner>(self.number(1));
  const auto last = static_cast<uint64_t>(self.number(2));
  const bool all_stay = self.number(3) != 0;
  const auto seed = static_cast<uint64_t>(self.number(4));

  psContext context = self.join();
  const psGroup world = self.world(context);
  const bool lower = lower_half(self.rank, self.size);
  const psGroup half = make_group(
      context, ranks_where(self.size, [&](int rank) { return lower_half(rank, self.size) == lower; }), "half");
  self.say("ready");
  self.hear("go");
  psResult result = PS_OK;
  for (uint64_t step = 0; result == PS_OK; ++step) {
    if (self.rank == victim && step == last) {
      if (manner == kBeforeCall) {
        self.say("waiting");
        self.hear("never");
      }
      if (manner == kInsideCall) {
        std::thread([&self, seed] {
          timespec time{0, static_cast<long>(seed % 1500) * 1000};
          ::nanosleep(&time, nullptr);
          self.say("dying", {std::to_string(now_ns())});
          ::kill(::getpid(), SIGKILL);
        }).detach();
      }
    }
    result = run_mixed(world, seed, step);
    if (self.rank == victim && step == last && manner == kAfterCall) {
      self.say("dying", {std::to_string(now_ns())});
      ::kill(::getpid(), SIGKILL);
    }
  }
  const std::string text = psLastError();
  self.say("error", {std::to_string(now_ns()), psResultName(result), text});
  must_name(world, result, victim, called_victim(context, victim));
  if (!all_stay && (seed >> self.rank & 1) != 0) Rank::vanish();
  const psResult again = psBarrier(world, nullptr);
  must_name(world, again, victim, called_victim(context, victim));
  if (all_stay) survive(self, context, half, victim, seed);
  ok(psGroupFree(half));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

// After how many milliseconds the first survivor had the error.
int64_t kill_once(const Round& round, std::mt19937_64& random) {
  World world("kill_loop", round.size, round.arguments());
  world.hear_all("ready");
  world.tell_all("go");
  int64_t died_ns = 0;
  if (round.manner == kAnyMoment) ::usleep(static_cast<useconds_t>(random() % 30'000));
  if (round.manner == kBeforeCall) world.hear(round.victim, "waiting");
  if (round.manner == kAnyMoment || round.manner == kBeforeCall) {
    died_ns = now_ns();
    world.kill(round.victim);
  } else {
    died_ns = std::stoll(world.hear(round.victim, "dying").words.at(0));
    world.wait(round.victim);
  }
  int64_t fastest_ms = kNoticeMs * patience();
  for (int rank = 0; rank < round.size; ++rank) {
    if (rank == round.victim) continue;
    const Line error = world.hear(rank, "error");
    expect_contains(error.words.at(2), {world.name(round.victim)});
    const int64_t took_ms = (std::stoll(error.words.at(0)) - died_ns) / 1'000'000;
    EXPECT_LT(took_ms, kNoticeMs * patience()) << "rank " << rank << " got the error late: " << error.words.at(2);
    fastest_ms = std::min(fastest_ms, took_ms);
  }
  world.end(round.victim == 0 || !round.all_stay ? std::set<std::string>{"meet"} : std::set<std::string>{});
  return fastest_ms;
}

int environment_number(const char* name, int otherwise) {
  const char* text = ::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

TEST(Kill, AtRandomMoments) {
  const int rounds = environment_number("PS_KILLS", patience() > 1 ? 20 : 200);
  std::mt19937_64 random(static_cast<uint64_t>(environment_number("PS_SEED", 1)));
  std::map<Manner, int64_t> fastest_ms;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    Round round;
    round.size = 2 + static_cast<int>(random() % 7);
    // Rank 0 hosts the store, which makes its death another one; it gets its share.
    round.victim = random() % 4 == 0 ? 0 : static_cast<int>(random() % static_cast<uint64_t>(round.size));
    round.manner = static_cast<Manner>(random() % kManners);
    round.step = random() % 12;
    round.all_stay = random() % 2 == 0;
    round.seed = random() >> 1;
    SCOPED_TRACE("round " + std::to_string(i) + ": size " + std::to_string(round.size) + ", victim " +
                 std::to_string(round.victim) + ", manner " + std::to_string(round.manner) + ", step " +
                 std::to_string(round.step) + (round.all_stay ? ", all stay" : ", some exit"));
    const int64_t took_ms = kill_once(round, random);
    int64_t& fastest = fastest_ms.try_emplace(round.manner, took_ms).first->second;
    fastest = std::min(fastest, took_ms);
  }
  for (const auto& [manner, ms] : fastest_ms) EXPECT_LT(ms, kSoonMs * patience()) << "manner " << manner;
}

// A child of the victim that only waits. Made by a bare clone it holds all descriptors, as nobody told the library: no
// socket of the victim ends, yet its death shows.
const RankProgram kForked("victim_with_child", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  if (self.rank == 1) {
    const bool is_fork = self.argument(0) == "fork";
    const pid_t child = is_fork ? ::fork() : static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (child == 0) {
      for (;;) ::pause();
    }
    self.say("child", {std::to_string(child)});
    self.hear("never");
  }
  const psResult result = psBarrier(world, nullptr);
  self.say_result("error", result);
  must_name(world, result, 1, called_victim(context, 1));
  const psGroup others = make_group(context, {0, 2}, "others");
  must_go_on(others, 7);
  ok(psGroupFree(others));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

void kill_victim_with_child(const char* way) {
  World world("victim_with_child", 3, {way});
  const pid_t child = static_cast<pid_t>(std::stol(world.hear(1, "child").words.at(0)));
  world.kill(1);
  for (const int rank : {0, 2})
    expect_contains(world.hear(rank, "error").text(), {world.name(1), "ended without psFinalize"});
  world.wait(0);
  world.wait(2);
  ::kill(child, SIGKILL);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child) << "the victim's child came to this process";
  world.end();
}

TEST(Kill, VictimWithAForkedChild) { kill_victim_with_child("fork"); }
TEST(Kill, VictimWithAClonedChild) { kill_victim_with_child("clone"); }

// The ranks that stand next to the victim in the guardians' order are stopped: others notice its death.
const RankProgram kStoppedNeighbours("stopped_neighbours", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  ok(psBarrier(world, nullptr));
  self.say("ready");
  self.hear("go");
  const psResult result = psBarrier(world, nullptr);
  self.say("error", {std::to_string(now_ns()), psResultName(result), psLastError()});
  must_name(world, result, 2, called_victim(context, 2));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Kill, VictimBetweenStoppedNeighbours) {
  int64_t fastest_ms = kNoticeMs * patience();
  for (int attempt = 0; attempt < 3 && fastest_ms >= kSoonMs * patience(); ++attempt) {
    World world("stopped_neighbours", 5);
    world.hear_all("ready");
    for (const int rank : {0, 1, 3, 4}) world.tell(rank, "go");
    for (const int rank : {1, 3}) world.signal(rank, SIGSTOP);
    const int64_t died_ns = now_ns();
    world.kill(2);
    for (const int rank : {0, 4}) {
      const int64_t took_ms = (std::stoll(world.hear(rank, "error").words.at(0)) - died_ns) / 1'000'000;
      EXPECT_LT(took_ms, kNoticeMs * patience()) << "rank " << rank;
      fastest_ms = std::min(fastest_ms, took_ms);
    }
    for (const int rank : {1, 3}) world.signal(rank, SIGCONT);
    for (const int rank : {1, 3}) world.hear(rank, "error");
    world.end();
  }
  EXPECT_LT(fastest_ms, kSoonMs * patience());
}

}  // namespace
}  // namespace faults
