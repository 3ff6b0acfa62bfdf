// The sweep: a world is made once for a number of ranks, and all ranks walk the same table.
#include <gtest/gtest.h>

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
int large_stride(int size) { return (kSanitized ? 11 : 1) * (size > 5 ? 3 : 1); }

class Collectives : public testing::TestWithParam<int> {};

TEST_P(Collectives, SmallOverThreads) { run("small", Ranks::kThreads, GetParam(), kSmallStride); }
TEST_P(Collectives, SmallOverProcesses) { run("small", Ranks::kProcesses, GetParam(), 13 * kSmallStride); }
TEST_P(Collectives, LargeOverThreads) { run("large", Ranks::kThreads, GetParam(), large_stride(GetParam())); }
TEST_P(Collectives, LargeOverProcesses) { run("large", Ranks::kProcesses, GetParam(), 2 * large_stride(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Ranks, Collectives, testing::Range(1, 10));

// More ranks than any machine of the tests has processors.
TEST(Crowd, SixteenThreads) { run("small", Ranks::kThreads, 16, 97 * kSmallStride); }
TEST(Crowd, SixteenProcesses) { run("small", Ranks::kProcesses, 16, 97 * kSmallStride); }

}  // namespace
}  // namespace ps_test
