// What can go wrong while a world or a group forms: late, missing, dying, doubled and disagreeing ranks.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <random>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

// Words "name=value" change the configuration; then psInit, and where that succeeds a barrier.
const RankProgram kJoining("joining", [](const Rank& self) {
  psConfig config = self.config();
  std::string secret;
  const std::string& words = self.argument(0);
  const auto value = [&](const std::string& name) -> std::optional<std::string> {
    const size_t at = words.find(name + "=");
    if (at == std::string::npos) return std::nullopt;
    const size_t begin = at + name.size() + 1;
    return words.substr(begin, words.find(' ', begin) - begin);
  };
  if (const auto text = value("timeout")) config.init_timeout_ms = std::stoll(*text);
  if (const auto text = value("buffer")) config.host_buffer_bytes = std::stoull(*text);
  if (const auto text = value("flags")) config.flags |= static_cast<uint32_t>(std::stoul(*text));
  if (const auto text = value("secret")) {
    secret = *text;
    config.secret = secret.c_str();
  }
  self.say("joining");
  psContext context = nullptr;
  const psResult result = psInit(&config, &context);
  self.say_result("joined", result);
  if (result != PS_OK) return;
  psGroup world = self.world(context);
  if (value("hold")) self.hear("end");
  self.say_result("barrier", psBarrier(world, nullptr));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Joining, LateRank) {
  World world(3);
  world.start("joining", 0, {""});
  world.start("joining", 2, {""});
  world.hear(0, "joining");
  world.hear(1, "joining");
  world.start("joining", 1, {""});
  world.hear(2, "joining");
  for (const Line& joined : world.hear_all("joined")) EXPECT_EQ(joined.code(), "PS_OK");
  for (const Line& barrier : world.hear_all("barrier")) EXPECT_EQ(barrier.code(), "PS_OK");
  world.end();
}

TEST(Joining, HostOfTheStoreComesLast) {
  World world(2);
  world.start("joining", 1, {""});
  world.hear(0, "joining");
  world.start("joining", 0, {""});
  world.hear(1, "joining");
  for (const Line& joined : world.hear_all("joined")) EXPECT_EQ(joined.code(), "PS_OK");
  world.end();
}

// The deadline of the store's host ends the joining of all; who has begun before it starts is there in time.
constexpr char kPatientGuest[] = " timeout=30000";
constexpr char kHostInAHurry[] = " timeout=5000";

TEST(Joining, MissingRank) {
  World world(3);
  world.start("joining", 1, {kPatientGuest});
  world.hear(0, "joining");
  world.start("joining", 0, {kHostInAHurry});
  world.hear(1, "joining");
  for (const Line& joined : world.hear_all("joined")) {
    EXPECT_EQ(joined.code(), "PS_ERR_TIMEOUT");
    expect_contains(joined.text(), {"psInit", "2 of 3 ranks arrived", world.name(0), world.name(1), "Missing: rank 2"});
  }
  world.end();
}

TEST(Joining, NobodyHostsTheStore) {
  World world(2);
  world.start("joining", 1, {"timeout=300"});
  world.hear(0, "joining");
  const Line joined = world.hear(0, "joined");
  EXPECT_EQ(joined.code(), "PS_ERR_TIMEOUT");
  expect_contains(joined.text(), {"psInit", "/meet"});
  world.end();
}

// A rank is killed while all wait for one that does not come: before it has arrived it is missing, later it is named.
TEST(Joining, RankThatIsKilledMeanwhile) {
  std::mt19937_64 random(11);
  const int rounds = patience() > 1 ? 4 : 8;  // one in which it is killed before it arrives takes all of the deadline
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    World world(4);
    const std::string timeout = "timeout=6000";
    for (int rank = 0; rank < 3; ++rank) world.start("joining", rank, {timeout});
    world.hear_all("joining");
    ::usleep(static_cast<useconds_t>(random() % 12'000));
    world.kill(2);
    for (const int rank : {0, 1}) {
      const Line joined = world.hear(rank, "joined");
      // Rank 1 may come only after rank 0, and the store with it, has ended because of the death.
      if (rank == 1 && joined.text().find("nobody answered as a store") != std::string::npos) continue;
      if (rank == 1 && joined.text().find("the store was closed while the world formed") != std::string::npos) continue;
      if (joined.code() == "PS_ERR_TIMEOUT") {
        // On a loaded machine another one may be as late.
        expect_contains(joined.text(), {"Missing: ", "rank 3"});
      } else {
        EXPECT_EQ(joined.code(), "PS_ERR_PEER_FAILED");
        expect_contains(joined.text(), {world.name(2) + " is gone"});
      }
    }
    world.end();
  }
}

// Also in the moments after the agreement and before a rank is guarded.
TEST(Joining, RankThatIsKilledWhileAllJoin) {
  std::mt19937_64 random(12);
  const int rounds = patience() > 1 ? 3 : 6;
  for (int i = 0; i < rounds && !HasFailure(); ++i) {
    World world(3);
    for (int rank = 0; rank < 3; ++rank) world.start("joining", rank, {"hold=1 timeout=" + std::to_string(3000 * patience())});
    world.hear_all("joining");
    ::usleep(static_cast<useconds_t>(random() % 4000));
    world.kill(2);
    for (const int rank : {0, 1}) {
      const Line joined = world.hear(rank, "joined");
      if (joined.text().find("nobody answered as a store") != std::string::npos) continue;
      if (joined.text().find("the store was closed while the world formed") != std::string::npos) continue;
      if (joined.code() == "PS_OK") {
        world.tell(rank, "end");
        const Line barrier = world.hear(rank, "barrier");
        EXPECT_EQ(barrier.code(), "PS_ERR_PEER_FAILED");
        expect_contains(barrier.text(), {world.name(2)});
      } else if (joined.code() == "PS_ERR_TIMEOUT") {
        expect_contains(joined.text(), {"Missing: ", "rank 2"});
      } else {
        EXPECT_EQ(joined.code(), "PS_ERR_PEER_FAILED");
        EXPECT_NE(joined.text().find("rank 2"), std::string::npos) << joined.text();
      }
    }
    world.end();
  }
}

TEST(Joining, TwoRanksWithOneNumber) {
  World world(3);
  for (const int rank : {0, 1, 1}) world.start("joining", rank, {""});
  world.hear_all("joining");
  for (const Line& joined : world.hear_all("joined")) {
    EXPECT_LT(joined.code().find("PS_ERR_"), joined.code().size());
    expect_contains(joined.text(),
                    {"rank 1 arrived twice", world.name(1), world.name(2), "two processes have the same rank"});
  }
  world.end();
}

TEST(Joining, DifferentWorldSizes) {
  World world(2);
  world.start("joining", 0, {""}, 2);
  world.start("joining", 1, {""}, 3);
  world.hear_all("joining");
  for (const Line& joined : world.hear_all("joined")) {
    EXPECT_EQ(joined.code(), "PS_ERR_MISMATCH");
    expect_contains(joined.text(), {"psInit", world.name(0), world.name(1), "world size"});
  }
  world.end();
}

TEST(Joining, DifferentConfigurations) {
  const std::map<std::string, std::vector<std::string>> cases = {
      {"buffer=1048576", {"rank 1 has host_buffer_bytes 1048576", "rank 0 has 4194304"}},
      {"flags=1", {"rank 1", "DETERMINISTIC", "rank 0"}}};
  for (const auto& [words, parts] : cases) {
    World world(3);
    for (int rank = 0; rank < 3; ++rank) world.start("joining", rank, {rank == 1 ? words : ""});
    world.hear_all("joining");
    for (const Line& joined : world.hear_all("joined")) {
      EXPECT_EQ(joined.code(), "PS_ERR_MISMATCH");
      expect_contains(joined.text(), parts);
    }
    world.end();
  }
}

TEST(Joining, WrongSecret) {
  for (const char* other : {"secret=wrong-and-long-enough", ""}) {
    World world(2);
    world.start("joining", 1, {std::string(other) + kPatientGuest});
    world.hear(0, "joining");
    world.start("joining", 0, {std::string("secret=right-and-long-enough") + kHostInAHurry});
    world.hear(1, "joining");
    const Line stranger = world.hear(0, "joined");
    EXPECT_EQ(stranger.code(), "PS_ERR_DENIED");
    expect_contains(stranger.text(), {"psInit", "secret"});
    const Line host = world.hear(1, "joined");
    // The host cannot know a rank from a stranger, who must not be able to end a world; it says who was refused.
    EXPECT_EQ(host.code(), "PS_ERR_TIMEOUT");
    expect_contains(host.text(), {"psInit", "Missing: rank 1", "secret"});
    EXPECT_EQ((stranger.text() + host.text()).find("right-and-long"), std::string::npos) << "a secret is told";
    world.end();
  }
}

// Every rank makes a group with its own idea of it; `barrier` shows afterwards that the world is unharmed.
const RankProgram kGrouping("grouping", [](const Rank& self) {
  const std::string& way = self.argument(0);
  psContext context = self.join();
  const psGroup world = self.world(context);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "team";
  std::vector<int32_t> ranks = {0, 1, 2};
  if (way == "list") ranks = self.rank == 1 ? std::vector<int32_t>{1, 0} : std::vector<int32_t>{0, 1};
  if (way == "members") ranks = self.rank == 1 ? std::vector<int32_t>{0, 1, 2} : std::vector<int32_t>{0, 1};
  if (way == "order" && self.rank == 1) ranks = {1, 0, 2};
  const bool calls = !(self.rank == 2 && (way == "list" || way == "members" || way == "missing"));
  if (way == "flags" && self.rank == 1) options.flags = PS_DETERMINISTIC;
  if (way == "buffer" && self.rank == 1) options.host_buffer_bytes = 1 << 20;
  if (way == "duplicate") ranks = {0, 1, 1, 2};
  if (way == "stranger") ranks = {0, 1, 3};
  if (way == "negative") ranks = {0, 1, -1};
  if (way == "outsider") ranks = {(self.rank + 1) % 3, (self.rank + 2) % 3};
  if (way == "missing" && calls) {
    // Who calls meets before, so that no other one is missing when the deadline passes.
    const int32_t callers[] = {0, 1};
    psGroup pair = nullptr;
    ok(psNewGroup(context, callers, 2, nullptr, &pair));
    ok(psBarrier(pair, nullptr));
    ok(psGroupFree(pair));
    options.timeout_ms = 8000;
  }
  psGroup group = nullptr;
  if (calls) {
    const psResult result = psNewGroup(context, ranks.data(), ranks.size(), &options, &group);
    self.say_result("made", result);
    must(result == PS_OK || group == nullptr, "a failed psNewGroup wrote its output");
  }
  self.hear("end");
  ok(psBarrier(world, nullptr));
  ok(psGroupFree(group));
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

struct GroupCase {
  const char* way;
  int callers;  // from rank 0
  const char* code;
  std::vector<std::string> parts;
};

TEST(Joining, GroupsThatMembersSeeDifferently) {
  const GroupCase cases[] = {
      {"list", 2, "PS_ERR_MISMATCH", {"psNewGroup", "'team'", "[0, 1]", "[1, 0]", "same list in the same order"}},
      {"members", 2, "PS_ERR_MISMATCH", {"psNewGroup", "'team'", "[0, 1, 2]", "[0, 1]"}},
      {"order", 3, "PS_ERR_MISMATCH", {"psNewGroup", "'team'", "[0, 1, 2]", "[1, 0, 2]"}},
      {"flags", 3, "PS_ERR_MISMATCH", {"psNewGroup", "'team'", "rank 1 gives flags 1", "rank 0 gives 0"}},
      {"buffer",
       3,
       "PS_ERR_MISMATCH",
       {"psNewGroup", "'team'", "rank 1 gives host_buffer_bytes", "1048576", "4194304"}},
      {"duplicate", 3, "PS_ERR_ARGUMENT", {"psNewGroup"}},
      {"stranger", 3, "PS_ERR_ARGUMENT", {"psNewGroup", "rank 3 is not in the world of 3 ranks"}},
      {"negative", 3, "PS_ERR_ARGUMENT", {"psNewGroup", "rank -1 is not in the world of 3 ranks"}},
      {"outsider", 3, "PS_ERR_ARGUMENT", {"psNewGroup", "is not a member of [", "only members make a group"}},
  };
  for (const GroupCase& one : cases) {
    SCOPED_TRACE(one.way);
    World world("grouping", 3, {one.way});
    for (int rank = 0; rank < one.callers; ++rank) {
      const Line made = world.hear(rank, "made");
      EXPECT_EQ(made.code(), one.code);
      expect_contains(made.text(), one.parts);
    }
    world.tell_all("end");
    world.end();
  }
}

TEST(Joining, GroupWithoutOneOfItsMembers) {
  World world("grouping", 3, {"missing"});
  for (const int rank : {0, 1}) {
    const Line made = world.hear(rank, "made");
    EXPECT_EQ(made.code(), "PS_ERR_TIMEOUT");
    expect_contains(made.text(), {"psNewGroup", "'team'", world.name(0), world.name(1), "Missing: rank 2"});
  }
  world.tell_all("end");
  world.end();
}

// A member ends while the others wait for it in psNewGroup; another one while it waits itself.
const RankProgram kDyingMember("dying_member", [](const Rank& self) {
  const int victim = static_cast<int>(self.number(0));
  psContext context = self.join();
  const psGroup world = self.world(context);
  self.say("ready");
  self.hear("go");
  const int32_t ranks[] = {0, 1, 2, 3};
  psGroup group = nullptr;
  const psResult result = psNewGroup(context, ranks, 4, nullptr, &group);
  self.say_result("made", result);
  must(victim != self.rank, "the victim lives");
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(Joining, MemberThatEndsMeanwhile) {
  for (const int waiting : {1, 0}) {
    World world("dying_member", 4, {"2"});
    world.hear_all("ready");
    // Rank 3 comes after the death, so that all wait.
    for (const int rank : {0, 1}) world.tell(rank, "go");
    if (waiting != 0) world.tell(2, "go");
    world.kill(2);
    world.tell(3, "go");
    for (const int rank : {0, 1, 3}) {
      const Line made = world.hear(rank, "made");
      EXPECT_EQ(made.code(), "PS_ERR_PEER_FAILED");
      expect_contains(made.text(), {"psNewGroup", world.name(2)});
    }
    world.end();
  }
}

}  // namespace
}  // namespace faults
