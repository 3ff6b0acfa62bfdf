// Many more ranks than cores: a group of 64 works, a world of 512 forms, and neither takes much memory a rank.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

using Clock = std::chrono::steady_clock;

int64_t ms_since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
}

// "RssAnon:  1234 kB" of /proc/self/status.
int64_t status_kib(const std::string& key) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key + ":")) return std::stoll(line.substr(key.size() + 1));
  }
  return 0;
}

void require_sums(const Member& member, psGroup group, size_t count) {
  std::vector<int64_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<int64_t>(i) * (member.rank + 1);
  require_ok(psAllReduce(group, values.data(), values.data(), count, PS_INT64, PS_SUM, nullptr, nullptr));
  const int64_t factor = int64_t{member.size} * (member.size + 1) / 2;
  for (size_t i = 0; i < count; ++i) require(values[i] == static_cast<int64_t>(i) * factor, "a sum is wrong");
}

const Body crowd("crowd", [](Member& member) {
  const auto begin = Clock::now();
  for (const size_t count : {size_t{1}, size_t{4}, size_t{100}, size_t{1000}, size_t{8192}, size_t{8193}, size_t{100'000}}) {
    require_sums(member, member.world, count);
  }
  for (int i = 0; i < 20; ++i) require_ok(psBarrier(member.world, nullptr));
  // A token to the next rank: a ring of messages for two of all pairs.
  int32_t token = member.rank;
  int32_t got = -1;
  require_ok(psSendRecv(member.world, &token, 1, PS_NEXT, &got, 1, PS_PREV, PS_INT32, 0, nullptr, nullptr));
  require(got == (member.rank + member.size - 1) % member.size, "the token is another rank's");
  if (member.rank == 0) {
    std::printf("all_reduce of 7 sizes, 20 barriers and a token on %d ranks: %lld ms\n", member.size,
                static_cast<long long>(ms_since(begin)));
  }
});

TEST(ManyRanks, AGroupOf64Works) { run_world(crowd, Ranks::kProcesses, 64); }

// What a rank's process has of its own, beside what all ranks share.
constexpr int64_t kMostKibARank = 160;

const Body second_world("second_world", [](Member& member) {
  require_ok(psBarrier(member.world, nullptr));
  const int64_t before = status_kib("RssAnon");
  const auto begin = Clock::now();
  const psContext context = join(member.rendezvous + "-second", member.rank, member.size);
  const int64_t ms = ms_since(begin);
  const int64_t kib = status_kib("RssAnon") - before;
  // Rank 0 serves the store.
  if (member.rank > 0) require(kib <= kMostKibARank, "a rank uses " + std::to_string(kib) + " KiB");
  if (member.rank < 2) {
    std::printf("rank %d of %d joined in %lld ms, %lld KiB of its own\n", member.rank, member.size,
                static_cast<long long>(ms), static_cast<long long>(kib));
  }
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  require_sums(member, world, 1);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

TEST(ManyRanks, AWorldOf512Forms) {
  const auto begin = Clock::now();
  run_world(second_world, Ranks::kProcesses, 512);
  std::printf("two worlds of 512 processes, from the first spawn to the last end: %lld ms\n",
              static_cast<long long>(ms_since(begin)));
}

}  // namespace
}  // namespace ps_test
