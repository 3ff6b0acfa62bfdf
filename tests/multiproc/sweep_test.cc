// The sweep: a world is made once for a number of ranks, and all ranks walk the same table.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "run_case.h"
#include "world.h"

namespace ps_test {
namespace {

// The argument: "small" or "large", then every how manieth case.
const Body sweep("sweep", [](Member& member) {
  const std::string& argument = member.argument;
  const size_t stride = std::stoul(argument.substr(argument.find(' ') + 1));
  const auto first = static_cast<size_t>(member.size) % stride;
  const auto cases =
      argument.starts_with("small") ? small_cases(member.size, first, stride) : large_cases(member.size, first, stride);
  Sweep(member.world, member.rank, member.size).run(cases);
});

void run(const char* table, Ranks ranks, int size, int stride) {
  run_world(sweep, ranks, size, std::string(table) + " " + std::to_string(stride));
}

constexpr int kSmallStride = kSanitized ? 61 : 1;
// With more ranks a case takes longer and shows no more.
int large_stride(int size) { return (kSanitized ? 23 : 1) * (size > 5 ? 3 : 1); }

// The same with as little shared memory as a caller may ask for: small slots, many pieces.
const Body sweep_in_little_memory("sweep_in_little_memory", [](Member& member) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  options.host_buffer_bytes = 1;
  psGroup group = nullptr;
  require_ok(psNewGroup(member.context, all.data(), all.size(), &options, &group));
  const size_t stride = kSanitized ? 29 : 2;
  Sweep(group, member.rank, member.size).run(large_cases(member.size, 1, stride));
  Sweep(group, member.rank, member.size).run(small_cases(member.size, 1, 41 * stride));
  require_ok(psGroupFree(group));
});

// The same with buffers in memory that all members reach: those of all ranks ("all"), or of some in some cases only.
const Body sweep_in_symmetric_memory("sweep_in_symmetric_memory", [](Member& member) {
  constexpr size_t kBytes = size_t{48} << 20;
  Arena arena(member.world, kBytes);
  // "some": what is left has no room for all buffers of the large cases, and less on some ranks than on others.
  const size_t kept = member.argument == "all" ? 0 : kBytes - (static_cast<size_t>(1 + member.rank % 3) << 20);
  std::byte* const unused = kept > 0 ? arena.take(kept) : nullptr;
  const size_t stride = (kSanitized ? 29 : 2) * (member.size > 5 ? 3 : 1);
  Sweep(member.world, member.rank, member.size, &arena).run(large_cases(member.size, 0, stride));
  Sweep(member.world, member.rank, member.size, &arena).run(small_cases(member.size, 2, 31 * stride));
  if (unused != nullptr) arena.give_back(unused, kept);
});

class Collectives : public testing::TestWithParam<int> {};

TEST_P(Collectives, SmallOverThreads) { run("small", Ranks::kThreads, GetParam(), kSmallStride); }
TEST_P(Collectives, SmallOverProcesses) { run("small", Ranks::kProcesses, GetParam(), 13 * kSmallStride); }
TEST_P(Collectives, LargeOverThreads) { run("large", Ranks::kThreads, GetParam(), large_stride(GetParam())); }
TEST_P(Collectives, LargeOverProcesses) { run("large", Ranks::kProcesses, GetParam(), 2 * large_stride(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Range(1, 10));

TEST(LittleMemory, OverThreads) {
  for (const int size : {2, 7}) run_world(sweep_in_little_memory, Ranks::kThreads, size);
}
TEST(LittleMemory, OverProcesses) { run_world(sweep_in_little_memory, Ranks::kProcesses, 3); }

TEST(SymmetricMemory, OverThreads) {
  for (const int size : {1, 2, 3, 7}) run_world(sweep_in_symmetric_memory, Ranks::kThreads, size, "all");
}
TEST(SymmetricMemory, OverProcesses) {
  for (const int size : {2, 4}) run_world(sweep_in_symmetric_memory, Ranks::kProcesses, size, "all");
}
TEST(SymmetricMemory, OfSomeRanks) {
  for (const int size : {2, 5}) run_world(sweep_in_symmetric_memory, Ranks::kThreads, size, "some");
  run_world(sweep_in_symmetric_memory, Ranks::kProcesses, 3, "some");
}

// More ranks than any machine of the tests has processors.
TEST(Crowd, SixteenThreads) { run("small", Ranks::kThreads, 16, 97 * kSmallStride); }
TEST(Crowd, SixteenProcesses) { run("small", Ranks::kProcesses, 16, 97 * kSmallStride); }

}  // namespace
}  // namespace ps_test
