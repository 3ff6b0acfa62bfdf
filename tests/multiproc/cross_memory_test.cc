// Data that goes from buffer to buffer: only where every rank reaches every other's memory, and also where a buffer is one
// that the kernel moves for nobody. That it is right otherwise is the sweep's.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kCount = 40'000;  // of 32-bit numbers to each member

uint32_t number(int from, int to, size_t i) { return static_cast<uint32_t>(from * 7 + to * 1000 + static_cast<int>(i % 997)); }

// Everything that may go that way, with these buffers of size * kCount numbers each.
void exchange(psGroup group, uint32_t* input, uint32_t* output) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(group, &info));
  const auto size = static_cast<size_t>(info.size);
  const auto check = [&](size_t block, int from, int to) {
    for (size_t i = 0; i < kCount; ++i) require(output[block * kCount + i] == number(from, to, i), "a wrong number");
  };
  for (size_t to = 0; to < size; ++to) {
    for (size_t i = 0; i < kCount; ++i) input[to * kCount + i] = number(info.rank, static_cast<int>(to), i);
  }
  require_ok(psAllToAll(group, input, output, kCount, PS_UINT32, nullptr, nullptr));
  for (int from = 0; from < info.size; ++from) check(static_cast<size_t>(from), from, info.rank);
  require_ok(psAllGather(group, input, output, kCount, PS_UINT32, nullptr, nullptr));
  for (int from = 0; from < info.size; ++from) check(static_cast<size_t>(from), from, 0);
  for (int root = 0; root < info.size; ++root) {
    require_ok(psBroadcast(group, input, output, kCount, PS_UINT32, root, nullptr, nullptr));
    check(0, root, 0);
    require_ok(psScatter(group, input, output, kCount, PS_UINT32, root, nullptr, nullptr));
    check(0, root, info.rank);
    require_ok(psGather(group, input, output, kCount, PS_UINT32, root, nullptr, nullptr));
    for (int from = 0; from < info.size && root == info.rank; ++from) check(static_cast<size_t>(from), from, 0);
  }
  const int next = (info.rank + 1) % info.size;
  const int before = (info.rank + info.size - 1) % info.size;
  require_ok(psSendRecv(group, input, kCount, next, output, kCount, before, PS_UINT32, 0, nullptr, nullptr));
  check(0, before, 0);
  require_ok(psAllToAll(group, input, input, kCount, PS_UINT32, nullptr, nullptr));
  std::memcpy(output, input, size * kCount * sizeof *output);
  for (int from = 0; from < info.size; ++from) check(static_cast<size_t>(from), from, info.rank);
}

// Whether large data goes from buffer to buffer, as psDescribe says.
bool is_single(psContext context) {
  const std::string text = described(context);
  const size_t begin = text.find("\"communicators\"");
  return text.substr(begin, text.find("\"configuration\"") - begin).find("single-copy") != std::string::npos;
}

// The argument: the rank that may not, -1 none.
const Body one_may_not("one_may_not", [](Member& member) {
  ::setenv("PS_CROSS_MEMORY", std::to_string(member.rank) == member.argument ? "0" : "1", 1);
  psContext context = join(member.rendezvous + "-cross", member.rank, member.size);
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  require(is_single(context) == (member.argument == "-1"), "the ranks do not agree");
  std::vector<uint32_t> input(static_cast<size_t>(member.size) * kCount);
  std::vector<uint32_t> output(input.size());
  exchange(world, input.data(), output.data());
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

TEST(CrossMemory, OneRankThatMayNotReachOthersDecidesForAll) {
  run_world(one_may_not, Ranks::kProcesses, 3, "1");
}

// Whether a process may read another's memory that is not its child, as the ranks of a test are to each other.
bool brothers_reach_each_other() {
  static const int word = 7;
  int ends[2];
  if (::pipe(ends) != 0) return false;
  const pid_t first = ::fork();
  if (first == 0) {
    ::close(ends[1]);
    char end = 0;
    ::_exit(::read(ends[0], &end, 1) == 0 ? 0 : 1);  // when the others are through
  }
  const pid_t second = ::fork();
  if (second == 0) {
    int found = 0;
    iovec here{&found, sizeof found};
    iovec there{const_cast<int*>(&word), sizeof word};
    ::_exit(::process_vm_readv(first, &here, 1, &there, 1, 0) == sizeof found && found == word ? 0 : 1);
  }
  int status = 1;
  ::waitpid(second, &status, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  ::waitpid(first, nullptr, 0);
  return status == 0;
}

TEST(CrossMemory, WhereAllMayDataGoesFromBufferToBuffer) {
  if (!brothers_reach_each_other()) GTEST_SKIP() << "this system lets no process read another's memory";
  for (const int size : {2, 3}) run_world(one_may_not, Ranks::kProcesses, size, "-1");
}

// The argument: the rank that is told to, -1 none; then the rules of all.
const Body measured("measured", [](Member& member) {
  ::unsetenv("PS_CROSS_MEMORY");
  const std::string told = member.argument.substr(0, member.argument.find(' '));
  const std::string rules = member.argument.substr(told.size() + 1);
  if (told == std::to_string(member.rank)) ::setenv("PS_CROSS_MEMORY", "1", 1);
  psContext context = join(member.rendezvous + "-measured", member.rank, member.size, rules.c_str());
  psGroup world = nullptr;
  require_ok(psGetGroup(context, "world", &world));
  const int single = is_single(context) ? 1 : 0;
  int on_all = 0;
  require_ok(psAllReduce(world, &single, &on_all, 1, PS_INT32, PS_SUM, nullptr, nullptr));
  require(on_all == single * member.size, "the ranks do not agree");
  if (told != "-1" || !rules.empty()) require(single == 1, "what was measured outweighs what was asked for");
  std::vector<uint32_t> input(static_cast<size_t>(member.size) * kCount);
  std::vector<uint32_t> output(input.size());
  exchange(world, input.data(), output.data());
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

TEST(CrossMemory, WhatIsFasterIsFoundOutForAllRanks) {
  for (const int size : {2, 3}) run_world(measured, Ranks::kProcesses, size, "-1 ");
}

TEST(CrossMemory, WhoAsksForItHasItWhateverItCosts) {
  if (!brothers_reach_each_other()) GTEST_SKIP() << "this system lets no process read another's memory";
  for (const char* told : {"0 ", "2 ", "-1 broadcast=single-copy"}) run_world(measured, Ranks::kProcesses, 3, told);
}

// Memory that only its own process may touch: the kernel itself has no way to it. `at`: in the place of what is there.
std::byte* take_secret_memory(size_t bytes, void* at = nullptr) {
  const auto descriptor = static_cast<int>(::syscall(SYS_memfd_secret, 0));
  if (descriptor < 0) return nullptr;
  void* memory = MAP_FAILED;
  if (::ftruncate(descriptor, static_cast<off_t>(bytes)) == 0) {
    memory = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (at == nullptr ? 0 : MAP_FIXED), descriptor, 0);
  }
  ::close(descriptor);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

std::byte* take_plain_memory(size_t bytes) {
  void* const memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

// The argument: which rank's input and output are such memory, in two digits: 1 the first's, 2 the second's, 3 both.
const Body unreachable("unreachable_buffers", [](Member& member) {
  const size_t bytes = static_cast<size_t>(member.size) * kCount * sizeof(uint32_t);
  const auto buffer = [&](char which) {
    const bool is_secret = (which - '0') >> (member.rank % 2) & 1;
    auto* const memory = is_secret ? take_secret_memory(bytes) : take_plain_memory(bytes);
    require(memory != nullptr, "no memory");
    return reinterpret_cast<uint32_t*>(memory);
  };
  uint32_t* const input = buffer(member.argument.at(0));
  uint32_t* const output = buffer(member.argument.at(1));
  exchange(member.world, input, output);
  ::munmap(input, bytes);
  ::munmap(output, bytes);
});

bool has_secret_memory() {
  std::byte* const memory = take_secret_memory(4096);
  if (memory != nullptr) ::munmap(memory, 4096);
  return memory != nullptr;
}

TEST(CrossMemory, BuffersThatNobodyReachesAreServedAllTheSame) {
  if (!has_secret_memory()) GTEST_SKIP() << "this kernel has no memfd_secret";
  for (const char* which : {"10", "20", "30", "01", "02", "03", "12", "33"}) {
    run_world(unreachable, Ranks::kProcesses, 2, which);
  }
  run_world(unreachable, Ranks::kProcesses, 3, "12");
}

// The argument: which ranks, as above.
const Body remapped("remapped_buffers", [](Member& member) {
  const size_t bytes = static_cast<size_t>(member.size) * kCount * sizeof(uint32_t);
  std::byte* buffers[] = {take_plain_memory(bytes), take_plain_memory(bytes)};
  for (const bool secret : {false, true}) {
    for (std::byte* const buffer : buffers) {
      require(buffer != nullptr, "no memory");
      if (!secret || ((member.argument.at(0) - '0') >> member.rank & 1) == 0) continue;
      require(take_secret_memory(bytes, buffer) == buffer, "no memory in its place");
    }
    // What was there may be taken for known until the clock ticks.
    const auto ticks = [] {
      timespec now;
      ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
      return now.tv_nsec;
    };
    for (const long before = ticks(); ticks() == before;) {
    }
    exchange(member.world, reinterpret_cast<uint32_t*>(buffers[0]), reinterpret_cast<uint32_t*>(buffers[1]));
  }
  for (std::byte* const buffer : buffers) ::munmap(buffer, bytes);
});

TEST(CrossMemory, OtherMemoryAtTheSameAddresses) {
  if (!has_secret_memory()) GTEST_SKIP() << "this kernel has no memfd_secret";
  for (const char* which : {"1", "2", "3"}) run_world(remapped, Ranks::kProcesses, 2, which);
}

}  // namespace
}  // namespace ps_test
