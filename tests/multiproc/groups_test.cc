// Groups: order of members, parts, what shares a communicator and what does not, and the order of accumulation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "reference.h"
#include "world.h"

namespace ps_test {
namespace {

std::vector<int32_t> members_of(psGroup group) {
  size_t count = 0;
  require_ok(psGroupGlobalRanks(group, nullptr, 0, &count));
  std::vector<int32_t> ranks(count);
  require_ok(psGroupGlobalRanks(group, ranks.data(), ranks.size(), &count));
  return ranks;
}

psGroup new_group(const Member& member, const std::vector<int32_t>& ranks, uint32_t flags = 0,
                  const char* name = nullptr) {
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = flags;
  options.name = name;
  psGroup group = nullptr;
  require_ok(psNewGroup(member.context, ranks.data(), ranks.size(), &options, &group));
  return group;
}

// All gather their world ranks, in the group's order.
void check_members(psGroup group, int own, const std::vector<int32_t>& expected) {
  require(members_of(group) == expected, "the members are not those asked for");
  std::vector<int32_t> found(expected.size());
  const int32_t self = own;
  require_ok(psAllGather(group, &self, found.data(), 1, PS_INT32, nullptr, nullptr));
  require(found == expected, "the data is not in the order of the members");
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(group, &info));
  const auto n = static_cast<int32_t>(expected.size());
  const auto rank = static_cast<int32_t>(std::find(expected.begin(), expected.end(), own) - expected.begin());
  const auto at = [&](int32_t i) { return expected[static_cast<size_t>((i + n) % n)]; };
  require(info.rank == rank && info.size == n && info.global_rank == own, "wrong rank or size");
  require(info.global_first == at(0) && info.global_last == at(n - 1), "wrong ends");
  require(info.global_next == at(rank + 1) && info.global_prev == at(rank - 1), "wrong neighbours");
  for (int32_t i = 0; i < n; ++i) {
    int32_t translated = -1;
    require_ok(psGroupFindGlobal(group, at(i), &translated));
    require(translated == i, "wrong translation");
  }
  // Neighbours are those of the group's ring.
  int32_t from_prev = -1;
  require_ok(psSendRecv(group, &self, 1, PS_NEXT, &from_prev, 1, PS_PREV, PS_INT32, 1, nullptr, nullptr));
  require(from_prev == at(rank - 1), "wrong neighbour");
}

const Body permuted("permuted", [](Member& member) {
  std::vector<int32_t> ranks(static_cast<size_t>(member.size));
  std::iota(ranks.begin(), ranks.end(), 0);
  for (int i = 0; i < 10; ++i) {
    std::rotate(ranks.begin(), ranks.begin() + 1, ranks.end());
    std::swap(ranks[0], ranks[static_cast<size_t>(1 + i % (member.size - 1))]);
    psGroup group = new_group(member, ranks);
    check_members(group, member.rank, ranks);
    require_ok(psGroupFree(group));
  }
});

// Only members make a group; several at a time that cross each other.
const Body of_some("of_some", [](Member& member) {
  for (int stride = 1; stride < member.size; ++stride) {
    std::vector<int32_t> ranks;
    for (int32_t rank = member.rank % stride; rank < member.size; rank += stride) ranks.insert(ranks.begin(), rank);
    psGroup group = new_group(member, ranks);
    check_members(group, member.rank, ranks);
    require_ok(psGroupFree(group));
  }
});

const Body split("split", [](Member& member) {
  psGroup part = nullptr;
  // The higher ranks first; equal keys keep their order.
  require_ok(psSplitGroup(member.world, member.rank % 2, -member.rank, nullptr, &part));
  std::vector<int32_t> expected;
  for (int32_t rank = member.size - 1; rank >= 0; --rank) {
    if (rank % 2 == member.rank % 2) expected.push_back(rank);
  }
  check_members(part, member.rank, expected);
  // A part of a part.
  psGroup inner = nullptr;
  const bool takes_part = member.rank != expected.front();
  require_ok(psSplitGroup(part, takes_part ? 5 : PS_NO_COLOR, 0, nullptr, &inner));
  require((inner != nullptr) == takes_part, "no colour, no part");
  if (takes_part) check_members(inner, member.rank, {expected.begin() + 1, expected.end()});
  require_error(psSplitGroup(member.world, -2, 0, nullptr, &inner), PS_ERR_ARGUMENT, "-2");
  require_ok(psGroupFree(inner));
  require_ok(psGroupFree(part));
  require_ok(psBarrier(member.world, nullptr));
});

// Whether the flag is the first's or the second's.
void require_a_communicator_to_itself(Member& member) {
  if (member.rank > 1) return;
  psGroup own = new_group(member, {0, 1}, PS_OWN_COMMUNICATOR, "own pair");
  psGroup later = new_group(member, {0, 1}, 0, "later pair");
  psGroup sharing = new_group(member, {0, 1}, 0, "sharing pair");
  const nlohmann::json context = nlohmann::json::parse(described(member.context));
  const auto communicator = [&](const std::string& name) {
    for (const auto& group : context.at("groups")) {
      if (group.at("name") == name) return group.at("communicator").get<int64_t>();
    }
    return int64_t{-1};
  };
  require(communicator("own pair") != communicator("later pair"), "a communicator of its own is shared");
  require(communicator("later pair") == communicator("sharing pair"), "equal members share none");
  for (const psGroup group : {own, later, sharing}) require_ok(psGroupFree(group));
}

const Body sharing("sharing", [](Member& member) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  psGroup shared = new_group(member, all, 0, "shared");
  psGroup another = new_group(member, all, 0, "another");
  psGroup own = new_group(member, all, PS_OWN_COMMUNICATOR, "own");
  psGroup groups[] = {member.world, shared, another, own};
  require_a_communicator_to_itself(member);
  // Messages of one tag on groups that share a communicator are told apart.
  for (int i = 3; i >= 0; --i) {
    const int32_t value = 10 * member.rank + i;
    require_ok(psSend(groups[i], &value, 1, PS_INT32, PS_NEXT, 1, nullptr, nullptr));
  }
  for (int i = 0; i < 4; ++i) {
    int32_t value = -1;
    require_ok(psRecv(groups[i], &value, 1, PS_INT32, PS_PREV, 1, nullptr, nullptr));
    require(value == 10 * ((member.rank + member.size - 1) % member.size) + i, "a message of another group");
  }
  for (int round = 0; round < 20; ++round) {
    for (psGroup group : groups) {
      int32_t value = 1;
      require_ok(psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr));
      require(value == member.size, "a sum is wrong");
    }
  }
  require_ok(psGroupFree(shared));
  check_members(another, member.rank, all);
  // A failure stays within the communicator.
  require_ok(psBarrier(member.world, nullptr));
  if (member.rank == 0) require_ok(psGroupAbort(own, "on purpose"));
  require_error(psBarrier(own, nullptr), PS_ERR_ABORTED, "on purpose");
  check_members(another, member.rank, all);
  require_ok(psGroupFree(own));
  require_ok(psGroupFree(another));
  check_members(member.world, member.rank, all);
});

const Body very_many("very_many", [](Member& member) {
  std::vector<int32_t> all(static_cast<size_t>(member.size));
  std::iota(all.begin(), all.end(), 0);
  std::vector<psGroup> groups;
  for (int i = 0; i < 150; ++i) groups.push_back(new_group(member, all));
  for (psGroup group : groups) {
    int32_t value = 1;
    require_ok(psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr));
    require(value == member.size, "a sum is wrong");
  }
  for (psGroup group : groups) require_ok(psGroupFree(group));
  for (int i = 0; i < 150; ++i) {
    psGroup group = new_group(member, all);
    require_ok(psBarrier(group, nullptr));
    require_ok(psGroupFree(group));
  }
  require_ok(psBarrier(member.world, nullptr));
});

// One sum by several algorithms and in several sizes: the same bits, those of a left fold in the group's order.
const Body deterministic("deterministic", [](Member& member) {
  std::vector<int32_t> ranks(static_cast<size_t>(member.size));
  std::iota(ranks.rbegin(), ranks.rend(), 0);
  psGroup group = new_group(member, ranks, PS_DETERMINISTIC, "exact");
  const int rank = member.size - 1 - member.rank;
  const auto n = static_cast<size_t>(member.size);
  const size_t block = 20'000;
  const size_t count = n * block;
  for (const psDataType dtype : {PS_FLOAT32, PS_FLOAT64, PS_BFLOAT16, PS_FLOAT8_E4M3}) {
    const Pattern pattern(dtype, PS_SUM, member.size);
    const size_t element = size_of(dtype);
    std::vector<std::byte> input(count * element), expected(count * element), found(count * element);
    pattern.write(input.data(), rank, 0, count);
    pattern.write(expected.data(), Pattern::kFold, 0, count);
    require_ok(psAllReduce(group, input.data(), found.data(), count, dtype, PS_SUM, nullptr, nullptr));
    require(pattern.equal(found.data(), expected.data(), count), "all_reduce is no left fold");
    const std::vector<std::byte> whole = found;
    const auto same = [&](const char* how) { require(found == whole, std::string("other bits by ") + how); };
    std::ranges::fill(found, std::byte{1});
    for (size_t at = 0, piece = 1; at < count; at += piece, piece = std::min(2 * piece, count - at)) {
      if (piece == 0) break;
      require_ok(
          psAllReduce(group, &input[at * element], &found[at * element], piece, dtype, PS_SUM, nullptr, nullptr));
    }
    same("all_reduce in pieces");
    std::vector<std::byte> part(block * element);
    require_ok(psReduceScatter(group, input.data(), part.data(), block, dtype, PS_SUM, nullptr, nullptr));
    require_ok(psAllGather(group, part.data(), found.data(), block, dtype, nullptr, nullptr));
    same("reduce_scatter");
    require_ok(psReduce(group, input.data(), found.data(), count, dtype, PS_SUM, 1, nullptr, nullptr));
    require_ok(psBroadcast(group, found.data(), found.data(), count, dtype, 1, nullptr, nullptr));
    same("reduce");
  }
  require_ok(psGroupFree(group));
});

class Groups : public testing::TestWithParam<Ranks> {};

TEST_P(Groups, KeepTheCallersOrder) { run_world(permuted, GetParam(), 5); }
TEST_P(Groups, OfSomeRanks) { run_world(of_some, GetParam(), 6); }
TEST_P(Groups, SplitByColourAndKey) { run_world(split, GetParam(), 7); }
TEST_P(Groups, ShareACommunicatorOrHaveTheirOwn) { run_world(sharing, GetParam(), 3); }
TEST_P(Groups, VeryMany) { run_world(very_many, GetParam(), 3); }
TEST_P(Groups, DeterministicBits) {
  for (const int size : {2, 3, 6}) run_world(deterministic, GetParam(), size);
}

INSTANTIATE_TEST_SUITE_P(Over, Groups, testing::Values(Ranks::kThreads, Ranks::kProcesses),
                         [](const auto& info) { return describe(info.param); });

// Others may still be in psInit when the first that come out of it leave.
const Body leaves_at_once("leaves_at_once", [](Member& member) {
  for (int i = 0; i < 20; ++i) {
    const psContext context = join(member.rendezvous + "-" + std::to_string(i), member.rank, member.size);
    require_ok(psFinalize(context));
  }
});

TEST(JoinAndLeave, WhoHasJoinedMayLeaveAtOnce) {
  run_world(leaves_at_once, Ranks::kThreads, 4);
  run_world(leaves_at_once, Ranks::kProcesses, 12);
}

}  // namespace
}  // namespace ps_test
