// Memory that all members reach: who may register what, what members must agree on, and what is left when it is freed.
// That the sums in it are right is the sweep's.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kCount = 20'000;  // floats: well above what is copied rather than lent
constexpr size_t kBytes = kCount * sizeof(float);

std::byte* allocate(psGroup group, size_t bytes) {
  void* memory = nullptr;
  require_ok(psMemAlloc(group, bytes, PS_DEVICE_HOST, &memory));
  return static_cast<std::byte*>(memory);
}

psGroup new_group(const Member& member, const std::vector<int32_t>& ranks, uint32_t flags = 0) {
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = flags;
  psGroup group = nullptr;
  require_ok(psNewGroup(member.context, ranks.data(), ranks.size(), &options, &group));
  return group;
}

psGroup everybody(const Member& member, uint32_t flags = 0) {
  std::vector<int32_t> ranks(static_cast<size_t>(member.size));
  std::iota(ranks.begin(), ranks.end(), 0);
  return new_group(member, ranks, flags);
}

psGroupInfo info_of(psGroup group) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(group, &info));
  return info;
}

// The members' sum, in place, of kCount floats that differ by rank and place.
void check_sum(psGroup group, std::byte* memory) {
  const psGroupInfo info = info_of(group);
  auto* const numbers = reinterpret_cast<float*>(memory);
  for (size_t i = 0; i < kCount; ++i) numbers[i] = static_cast<float>(static_cast<size_t>(info.rank + 1) * (i % 97));
  require_ok(psAllReduce(group, numbers, numbers, kCount, PS_FLOAT32, PS_SUM, nullptr, nullptr));
  const auto ranks = static_cast<size_t>(info.size);
  for (size_t i = 0; i < kCount; ++i) {
    require(numbers[i] == static_cast<float>(ranks * (ranks + 1) / 2 * (i % 97)), "a wrong sum");
  }
}

// Every member's part at every member, from `memory` on those that have some, else from memory of its own.
void check_gathered(psGroup group, std::byte* memory) {
  const psGroupInfo info = info_of(group);
  std::vector<float> own(kCount);
  std::vector<float> all(kCount * static_cast<size_t>(info.size));
  auto* const numbers = memory != nullptr ? reinterpret_cast<float*>(memory) : own.data();
  for (size_t i = 0; i < kCount; ++i) numbers[i] = static_cast<float>(info.rank * 1000) + static_cast<float>(i % 89);
  require_ok(psAllGather(group, numbers, all.data(), kCount, PS_FLOAT32, nullptr, nullptr));
  for (size_t i = 0; i < all.size(); ++i) {
    require(all[i] == static_cast<float>(i / kCount * 1000) + static_cast<float>(i % kCount % 89), "a wrong part");
  }
}

void run_everywhere(const Body& body, int size) {
  run_world(body, Ranks::kThreads, size);
  run_world(body, Ranks::kProcesses, size);
}

// What only some do, or do otherwise, is refused on all, and then the group goes on.
const Body differing("differing", [](Member& member) {
  const bool is_last = member.rank == member.size - 1;
  const std::string last = "rank " + std::to_string(member.size - 1);
  void* memory = nullptr;
  require_error(psMemAlloc(member.world, is_last ? 100 : 200, PS_DEVICE_HOST, &memory), PS_ERR_MISMATCH,
                "psMemAlloc: group 'world': " + last + " asks for 100 bytes, but rank 0 for 200");
  require(memory == nullptr, "an output of a failed call");

  std::byte* const first = allocate(member.world, kBytes);
  std::byte* const second = allocate(member.world, kBytes);
  require_error(is_last ? psGroupRegister(member.world, first, 100) : psMemAlloc(member.world, 100, PS_DEVICE_HOST, &memory),
                PS_ERR_MISMATCH, last + " called psGroupRegister, but rank 0 called psMemAlloc");
  require_error(is_last ? psMemFree(member.world, first) : psMemAlloc(member.world, 100, PS_DEVICE_HOST, &memory),
                PS_ERR_MISMATCH, last + " called psMemFree, but rank 0 called psMemAlloc");
  require_error(psMemFree(member.world, is_last ? first : second), PS_ERR_MISMATCH,
                last + " names other memory in psMemFree than rank 0; all members free the same memory in the same order");

  check_sum(member.world, first);
  check_sum(member.world, second);
  require_ok(psMemFree(member.world, second));
  check_sum(member.world, first);
  require_error(psMemFree(member.world, second), PS_ERR_ARGUMENT, "no memory that psMemAlloc gave on group 'world'");
  require_ok(psMemFree(member.world, first));
});

TEST(Memory, WhatDiffersIsRefusedOnAll) { run_everywhere(differing, 3); }

// A group's members register what they have of the world's memory, each at its own place.
const Body part("part", [](Member& member) {
  std::byte* const memory = allocate(member.world, 4 * kBytes);
  psGroup part = nullptr;
  require_ok(psSplitGroup(member.world, member.rank % 2, -member.rank, nullptr, &part));
  std::byte* const own = memory + 192 * static_cast<size_t>(member.rank + 1);
  require_ok(psGroupRegister(part, own, 2 * kBytes));
  check_sum(part, own);
  check_sum(part, own + kBytes);
  check_gathered(part, own + 64 * static_cast<size_t>(member.rank));
  check_sum(part, own + kBytes + 4 * static_cast<size_t>(member.rank));  // ends outside of what is registered, on most
  check_sum(member.world, memory + 4);
  require_error(psGroupDeregister(member.world, own), PS_ERR_ARGUMENT, "psGroupRegister");
  require_ok(psGroupDeregister(part, own));
  require_error(psGroupDeregister(part, own), PS_ERR_ARGUMENT, "psGroupRegister");
  check_sum(part, own);

  // Registered memory stays reachable although its own group has let go of it.
  require_ok(psGroupRegister(part, own, kBytes));
  require_ok(psMemFree(member.world, memory));
  check_gathered(part, nullptr);
  require_ok(psGroupFree(part));
  require_ok(psBarrier(member.world, nullptr));
});

TEST(Memory, APartOfTheWorldsIsRegisteredOnAnotherGroup) { run_everywhere(part, 4); }

// Sums of the sizes that go in one shot: everybody's buffers lie in the memory, nobody's, or all but one member's; and all
// come at once, or one of them so late that the others have stopped looking for it.
const Body brief("brief", [](Member& member) {
  // Where ranks share CPUs less is not lent.
  const size_t most = member.size == 2 ? 4096 : 12'000;
  std::byte* const memory = allocate(member.world, 2 * most * sizeof(float));
  std::vector<float> plain(2 * most);
  std::mt19937 random(static_cast<unsigned>(member.rank));
  const int ranks = member.size;
  for (int round = 0; round < 600; ++round) {
    const int without = round % (ranks + 2);  // a member, `ranks`: none, one more: all
    auto* const input =
        without == member.rank || without > ranks ? plain.data() : reinterpret_cast<float*>(memory);
    float* const output = round / 4 % 2 == 0 ? input : input + most;
    const size_t count = most - static_cast<size_t>(round % 3) * 1000;
    for (size_t i = 0; i < count; ++i) input[i] = static_cast<float>((member.rank + 1) * (round + static_cast<int>(i % 89)));
    if (round / 8 % (ranks + 1) == member.rank) {
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60);
      while (std::chrono::steady_clock::now() < until) {
      }
    }
    require_ok(psAllReduce(member.world, input, output, count, PS_FLOAT32, PS_SUM, nullptr, nullptr));
    for (size_t i = 0; i < count; ++i) {
      require(output[i] == static_cast<float>(ranks * (ranks + 1) / 2 * (round + static_cast<int>(i % 89))), "a wrong sum");
    }
  }
  require_ok(psMemFree(member.world, memory));
});

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kRounds = 40;
#else
constexpr int kRounds = 120;
#endif

// Blocks around a root, of which both sides move a part where both lend: whose buffers lie in the memory changes, as do the
// root and who is late, so that the parts that are learned do too.
const Body rooted("rooted", [](Member& member) {
  const auto ranks = static_cast<size_t>(member.size);
  constexpr size_t kMost = (1 << 18) + 77;  // floats: where ranks share CPUs, less is moved by the readers alone
  std::byte* const memory = allocate(member.world, 2 * ranks * kMost * sizeof(float));
  std::vector<float> plain(2 * ranks * kMost);
  std::mt19937 random(static_cast<unsigned>(member.rank));
  const auto value = [](int round, int from, int to, size_t i) {
    return static_cast<float>((round + 3 * from + 7 * to + static_cast<int>(i % 89)) % 1009);
  };
  for (int round = 0; round < kRounds; ++round) {
    const int root = round / (member.size + 2) % member.size;
    const int without = round % (member.size + 2);  // a member, `size`: none, one more: all
    const bool lends = without != member.rank && without != member.size;
    float* const input = lends ? reinterpret_cast<float*>(memory) : plain.data();
    float* const output = input + ranks * kMost;
    const size_t count = round / 3 % 4 == 0 ? kMost : kCount - static_cast<size_t>(round % 5) * 333;
    const bool is_root = member.rank == root;
    const auto be_late = [&] {
      const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 60);
      while (round % 3 == 0 && std::chrono::steady_clock::now() < until) {
      }
    };
    const auto fill = [&](float* to, int from, int reader) {
      for (size_t i = 0; i < count; ++i) to[i] = value(round, from, reader, i);
    };
    const auto holds = [&](const float* data, int from, int reader, const char* what) {
      size_t right = 0;
      while (right < count && data[right] == value(round, from, reader, right)) ++right;
      require(right == count, std::string(what) + " gave a wrong number");
    };

    if (is_root) fill(input, root, 0);
    be_late();
    float* const copied = round % 2 == 0 ? output : input;
    require_ok(psBroadcast(member.world, input, copied, count, PS_FLOAT32, root, nullptr, nullptr));
    holds(copied, root, 0, "a broadcast");

    fill(input, member.rank, 1);
    be_late();
    require_ok(psGather(member.world, input, output, count, PS_FLOAT32, root, nullptr, nullptr));
    for (int from = 0; is_root && from < member.size; ++from) {
      holds(output + static_cast<size_t>(from) * count, from, 1, "a gather");
    }

    for (int to = 0; is_root && to < member.size; ++to) fill(input + static_cast<size_t>(to) * count, root, to);
    be_late();
    require_ok(psScatter(member.world, input, output, count, PS_FLOAT32, root, nullptr, nullptr));
    holds(output, root, member.rank, "a scatter");
  }
  require_ok(psMemFree(member.world, memory));
});

TEST(Memory, AroundARoot) {
  for (const int size : {2, 3, 5}) run_everywhere(rooted, size);
}

TEST(Memory, OfSumsThatGoInOneShot) {
  run_everywhere(brief, 2);
  run_everywhere(brief, 3);
}

// Sizes may differ, and some may be none: those ranks still reach what the others lend.
const Body uneven("uneven", [](Member& member) {
  std::byte* const memory = allocate(member.world, 2 * kBytes);
  psGroup group = everybody(member, PS_OWN_COMMUNICATOR);
  const bool has_some = member.rank != 1;
  std::byte* const range = has_some ? memory : nullptr;
  require_ok(psGroupRegister(group, range, has_some ? kBytes + 64 * static_cast<size_t>(member.rank) : 0));
  check_gathered(group, range);
  check_sum(group, memory);
  require_ok(psGroupDeregister(group, range));
  require_ok(psGroupRegister(group, memory, 0));
  require_ok(psGroupDeregister(group, memory));
  require_ok(psGroupFree(group));
  require_ok(psMemFree(member.world, memory));
});

TEST(Memory, RangesOfDifferentSizes) { run_everywhere(uneven, 3); }

// Between processes memory that not all reach is refused on all of them, by the name of its rank.
const Body heap("heap", [](Member& member) {
  std::vector<float> own(kCount);
  auto* const heap = reinterpret_cast<std::byte*>(own.data());
  std::byte* const memory = allocate(member.world, kBytes);
  std::byte* const mixed = member.rank == 1 ? heap : memory;
  if (member.argument == "threads") {
    require_ok(psGroupRegister(member.world, mixed, kBytes));
    check_sum(member.world, mixed);
    check_gathered(member.world, mixed);
    require_ok(psGroupDeregister(member.world, mixed));
  } else {
    require_error(psGroupRegister(member.world, heap, kBytes), PS_ERR_UNSUPPORTED,
                  "psGroupRegister: group 'world': the 80000 bytes of rank 0 lie in no memory that all members reach");
    require_error(psGroupRegister(member.world, mixed, kBytes), PS_ERR_UNSUPPORTED, "bytes of rank 1 lie in no memory");
    require_error(psGroupRegister(member.world, memory + 1, kBytes), PS_ERR_UNSUPPORTED, "bytes of rank 0 lie in no memory");
  }
  check_sum(member.world, memory);
  require_ok(psMemFree(member.world, memory));
});

TEST(Memory, OfTheHeapIsForThreads) {
  run_world(heap, Ranks::kThreads, 3, "threads");
  run_world(heap, Ranks::kProcesses, 3);
}

// A rank that registers nothing still has to reach what the others do.
const Body stranger("stranger", [](Member& member) {
  const bool is_stranger = member.rank == member.size - 1;
  std::vector<int32_t> some(static_cast<size_t>(member.size - 1));
  std::iota(some.begin(), some.end(), 0);
  psGroup group = is_stranger ? nullptr : new_group(member, some);
  std::byte* const memory = is_stranger ? nullptr : allocate(group, kBytes);
  char nothing = 0;
  require_error(psGroupRegister(member.world, is_stranger ? &nothing : static_cast<void*>(memory), is_stranger ? 0 : kBytes),
                PS_ERR_UNSUPPORTED,
                "psGroupRegister: group 'world', rank " + std::to_string(member.size - 1) + ": it is no member");
  check_gathered(member.world, memory);
  require_ok(psGroupFree(group));
});

TEST(Memory, OfAGroupThatHasNotAllMembers) { run_world(stranger, Ranks::kProcesses, 3); }

// Groups of equal members share what their operations run on; the memory of one is not the other's, whoever frees first.
const Body sharing("sharing", [](Member& member) {
  psGroup group = everybody(member);
  std::byte* const memory = allocate(group, kBytes);
  check_sum(group, memory);
  const bool frees_early = member.rank == 1;
  if (frees_early) require_ok(psGroupFree(group));
  std::vector<float> own(kCount);
  std::byte* const buffer = frees_early ? reinterpret_cast<std::byte*>(own.data()) : memory;
  check_gathered(member.world, buffer);
  check_sum(member.world, buffer);
  if (!frees_early) {
    // Who has freed the group is not waited for.
    require_error(psGroupRegister(group, memory, kBytes), PS_ERR_PEER_FAILED, "has freed the group");
    require_ok(psMemFree(group, memory));
    require_error(psMemFree(group, memory), PS_ERR_ARGUMENT);
  }
  require_ok(psBarrier(member.world, nullptr));
  if (!frees_early) require_ok(psGroupFree(group));
});

TEST(Memory, OfAGroupThatSomeHaveFreed) { run_everywhere(sharing, 3); }

const Body unfinished("unfinished", [](Member& member) {
  std::byte* const memory = allocate(member.world, kBytes);
  auto* const numbers = reinterpret_cast<float*>(memory);
  for (size_t i = 0; i < kCount; ++i) numbers[i] = 1;
  std::vector<float> sums(kCount);
  psWork work = nullptr;
  require_ok(psAllReduce(member.world, numbers, sums.data(), kCount, PS_FLOAT32, PS_SUM, nullptr, &work));
  require_ok(psMemFree(member.world, memory));
  require_ok(psWorkTest(work));
  require(sums == std::vector<float>(kCount, static_cast<float>(member.size)), "a wrong sum");
  require_ok(psWorkFree(work));
});

TEST(Memory, IsFreedAfterTheOperationsInIt) { run_everywhere(unfinished, 3); }

// Sizes that no machine has are refused on all, also where only one asks for them.
const Body too_much("too_much", [](Member& member) {
  void* memory = nullptr;
  for (const size_t bytes : {size_t{1} << 50, SIZE_MAX}) {
    require_error(psMemAlloc(member.world, bytes, PS_DEVICE_HOST, &memory), PS_ERR_NO_MEMORY, "rank 0");
    require_error(psMemAlloc(member.world, member.rank == 0 ? bytes : 100, PS_DEVICE_HOST, &memory), PS_ERR_NO_MEMORY,
                  "rank 0");
  }
  require(memory == nullptr, "an output of a failed call");
  std::byte* const little = allocate(member.world, kBytes);
  check_sum(member.world, little);
  require_ok(psMemFree(member.world, little));
});

TEST(Memory, MoreThanTheMachineHas) { run_everywhere(too_much, 2); }

size_t entries_of(const char* folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// Mappings of shared memory, and how many KiB.
std::pair<size_t, size_t> mappings() {
  std::ifstream maps("/proc/self/maps");
  std::pair<size_t, size_t> found{0, 0};
  for (std::string line; std::getline(maps, line);) {
    if (line.find("memfd:") == std::string::npos) continue;
    size_t end = 0;
    const size_t begin = std::stoull(line, &end, 16);
    ++found.first;
    found.second += (std::stoull(line.substr(end + 1), nullptr, 16) - begin) >> 10;
  }
  return found;
}

const Body rounds("rounds", [](Member& member) {
  const auto round = [&](size_t i) {
    std::byte* const memory = allocate(member.world, kBytes + i);
    psGroup group = i % 4 == 0 ? everybody(member, i % 8 == 0 ? PS_OWN_COMMUNICATOR : 0) : nullptr;
    if (group != nullptr) {
      require_ok(psGroupRegister(group, memory, kBytes));
      allocate(group, kBytes);
      check_sum(group, memory);
      require_ok(psGroupFree(group));
    }
    check_sum(member.world, memory);
    require_ok(psMemFree(member.world, memory));
  };
  round(0);
  round(4);
  require_ok(psBarrier(member.world, nullptr));
  const auto descriptors = entries_of("/proc/self/fd");
  const auto before = mappings();
  for (size_t i = 0; i < 100; ++i) round(i);
  require_ok(psBarrier(member.world, nullptr));
  // Connections to the store come when they are needed.
  require(entries_of("/proc/self/fd") < descriptors + 8, "descriptors are left");
  require(mappings() == before, "mappings are left");
});

TEST(Memory, AHundredRoundsLeaveNothingBehind) { run_world(rounds, Ranks::kProcesses, 3); }

}  // namespace
}  // namespace ps_test
