// The sweep: a world is made once for a number of ranks, and all ranks walk the same table.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "run_case.h"
#include "world.h"

namespace ps_test {
namespace {

void run(const Body& body, Ranks ranks, int size, const std::string& argument = "") {
  run_world(body, ranks, size, argument, sweep_deadline());
}

// ThreadSanitizer looks at one process at a time: worlds of processes show it nothing that those of threads do not.
constexpr bool kProcessesToo = !kThreadSanitized;

// The argument: "small" or "large", then every how manieth case.
const Body sweep("sweep", [](Member& member) {
  const std::string& argument = member.argument;
  const size_t stride = std::stoul(argument.substr(argument.find(' ') + 1));
  const auto first = static_cast<size_t>(member.size) % stride;
  const auto cases =
      argument.starts_with("small") ? small_cases(member.size, first, stride) : large_cases(member.size, first, stride);
  Sweep(member.world, member.rank, member.size).run(cases);
});

void run(const char* table, Ranks ranks, int size, size_t stride) {
  if (ranks == Ranks::kProcesses && !kProcessesToo) return;
  run(sweep, ranks, size, std::string(table) + " " + std::to_string(stride));
}

// With more ranks a case takes longer and shows no more: there each number of ranks has other cases.
size_t large_stride(int size, size_t processes = 1) {
  const size_t sized = size > 3 ? 3 : 1;
  return stride_of(sized * processes, 23 * sized * processes);
}

// The same with as little shared memory as a caller may ask for: small slots, many pieces.
const Body sweep_in_little_memory("sweep_in_little_memory", [](Member& member) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  options.host_buffer_bytes = 1;
  psGroup group = nullptr;
  require_ok(psNewGroup(member.context, all.data(), all.size(), &options, &group));
  const size_t stride = stride_of(2, kThreadSanitized ? 58 : 29);
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
  const size_t sized = member.size > 5 ? 3 : 1;
  const size_t stride = stride_of(2 * sized, (kThreadSanitized ? 58 : 29) * sized);
  Sweep(member.world, member.rank, member.size, &arena).run(large_cases(member.size, 0, stride));
  Sweep(member.world, member.rank, member.size, &arena).run(small_cases(member.size, 2, 31 * stride));
  if (unused != nullptr) arena.give_back(unused, kept);
});

class Collectives : public testing::TestWithParam<int> {};

TEST_P(Collectives, SmallOverThreads) { run("small", Ranks::kThreads, GetParam(), stride_of(1, 61)); }
TEST_P(Collectives, SmallOverProcesses) { run("small", Ranks::kProcesses, GetParam(), stride_of(13, 13 * 61)); }
TEST_P(Collectives, LargeOverThreads) { run("large", Ranks::kThreads, GetParam(), large_stride(GetParam())); }
TEST_P(Collectives, LargeOverProcesses) { run("large", Ranks::kProcesses, GetParam(), large_stride(GetParam(), 2)); }

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Range(1, 10));

TEST(LittleMemory, OverThreads) {
  for (const int size : {2, 7}) run(sweep_in_little_memory, Ranks::kThreads, size);
}
TEST(LittleMemory, OverProcesses) {
  if (kProcessesToo) run(sweep_in_little_memory, Ranks::kProcesses, 3);
}

TEST(SymmetricMemory, OverThreads) {
  for (const int size : {1, 2, 3, 7}) run(sweep_in_symmetric_memory, Ranks::kThreads, size, "all");
}
TEST(SymmetricMemory, OverProcesses) {
  for (const int size : {2, 4}) {
    if (kProcessesToo) run(sweep_in_symmetric_memory, Ranks::kProcesses, size, "all");
  }
}
TEST(SymmetricMemory, OfSomeRanks) {
  for (const int size : {2, 5}) run(sweep_in_symmetric_memory, Ranks::kThreads, size, "some");
  if (kProcessesToo) run(sweep_in_symmetric_memory, Ranks::kProcesses, 3, "some");
}

// More ranks than any machine of the tests has processors.
TEST(Crowd, SixteenThreads) { run("small", Ranks::kThreads, 16, stride_of(97, 97 * 61)); }
TEST(Crowd, SixteenProcesses) { run("small", Ranks::kProcesses, 16, stride_of(97, 97 * 61)); }

}  // namespace
}  // namespace ps_test
