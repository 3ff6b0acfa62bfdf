// Groups that span hosts with several ranks each: the sweep over worlds whose processes say that they are on different
// hosts, in several shapes. Between them everything goes over the network, within one through shared memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "run_case.h"
#include "world.h"

namespace ps_test {
namespace {

// The argument: a letter for each rank, its host; then, behind a space, dispatch rules.
std::string hosts_of(const Member& member) { return member.argument.substr(0, static_cast<size_t>(member.size)); }
std::string rules_of(const Member& member) {
  return hosts_of(member) == member.argument ? "" : member.argument.substr(static_cast<size_t>(member.size) + 1);
}

psContext join_on_hosts(const Member& member, uint64_t host_buffer_bytes = 0) {
  ::setenv("PS_HOST_ID", std::string(1, member.argument[static_cast<size_t>(member.rank)]).c_str(), 1);
  const std::string rendezvous = member.rendezvous + "-hosts";
  const std::string rules = rules_of(member);
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_HOST_ONLY;
  config.rank = member.rank;
  config.world_size = member.size;
  config.rendezvous = rendezvous.c_str();
  config.timeout_ms = 60'000;
  config.init_timeout_ms = 60'000;
  config.dispatch = rules.c_str();
  config.host_buffer_bytes = host_buffer_bytes;
  psContext context = nullptr;
  require_ok(psInit(&config, &context));
  return context;
}

psGroup world_of(psContext context) {
  psGroup group = nullptr;
  require_ok(psGetGroup(context, "world", &group));
  return group;
}

nlohmann::json describe(psContext context) { return nlohmann::json::parse(described(context)); }

// Whether every communicator of these ranks has some, by psDescribe.
bool shares_memory(psContext context, const std::vector<int32_t>& ranks) {
  const auto json = describe(context);
  return std::ranges::all_of(json["communicators"], [&](const auto& communicator) {
    return communicator["ranks"] != ranks || communicator["shared_memory_bytes"] > 0;
  });
}

bool is_even(const std::string& hosts) {
  return std::ranges::all_of(hosts, [&](char host) { return std::ranges::count(hosts, host) == std::ranges::count(hosts, hosts[0]); });
}

// Whether nothing is combined on a host before: a root, or owners of blocks, whom the host's leader would have to serve.
bool goes_flat(const Case& c, const std::string& hosts) {
  if (is_even(hosts)) return false;
  if (c.operation == Operation::kReduceScatter || c.operation == Operation::kReduceScatterV) return true;
  const auto root = static_cast<size_t>(c.root);
  return c.operation == Operation::kReduce && hosts.find(hosts[root]) != root;
}

void sweep(psGroup group, const std::string& hosts, const std::vector<Case>& cases) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(group, &info));
  for (const bool flat : {false, true}) {
    std::vector<Case> chosen;
    std::ranges::copy_if(cases, std::back_inserter(chosen), [&](const Case& c) { return goes_flat(c, hosts) == flat; });
    Sweep(group, info.rank, info.size, nullptr, flat ? "" : hosts).run(chosen);
  }
}

const Body sweep_over_hosts("sweep_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  psGroup world = world_of(context);
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(world, &info));
  require(info.host_count > 1 && std::string(info.host_backend) == "gloo", "the ranks are not on several hosts");
  sweep(world, hosts_of(member), small_cases(member.size, 3, stride_of(101, 2003)));
  sweep(world, hosts_of(member), large_cases(member.size, 1, stride_of(9, 97)));
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Rules choose for all ranks: "flat" folds in rank order. A small budget makes many small chunks.
const Body under_rules("under_rules_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member, 256 << 10);
  psGroup world = world_of(context);
  const std::string algorithm = rules_of(member).substr(rules_of(member).rfind('=') + 1);
  const auto in_force = describe(context)["communicators"][0]["dispatch"];
  require(in_force["all_reduce"] == algorithm, in_force.dump());
  require(in_force["all_to_all"] == "flat", in_force.dump());
  const std::string fold = algorithm == "flat" ? "" : hosts_of(member);
  sweep(world, fold, small_cases(member.size, 11, stride_of(401, 2003)));
  sweep(world, fold, large_cases(member.size, 0, stride_of(13, 97)));
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Each algorithm of the memory that a host's ranks share runs stages too, whose blocks may differ in size.
const Body stages_on_hosts("stages_on_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const psGroup world = world_of(context);
  std::vector<Case> cases = small_cases(member.size, 2, stride_of(53, 401));
  std::erase_if(cases, [](const Case& c) {
    return reduces(c.operation) ? c.seed % 8 != 0 : c.operation > Operation::kAllGatherV;
  });
  sweep(world, hosts_of(member), cases);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Whatever rounds is folded in rank order, as on one host.
const Body deterministic("deterministic_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  std::vector<int32_t> ranks;
  for (int rank = 0; rank < member.size; ++rank) ranks.push_back(rank);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_DETERMINISTIC;
  psGroup group = nullptr;
  require_ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
  sweep(group, "", small_cases(member.size, 7, stride_of(197, 2003)));
  sweep(group, "", large_cases(member.size, 3, stride_of(19, 97)));
  require_ok(psGroupFree(group));
  require_ok(psFinalize(context));
});

// Staged operations and others after each other, several in flight.
const Body in_turn("in_turn_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  psGroup world = world_of(context);
  const int n = member.size;
  std::vector<psWork> works;
  constexpr int kRounds = 40;
  std::vector<std::vector<int64_t>> sums(kRounds, std::vector<int64_t>(3000));
  std::vector<std::vector<int64_t>> gathered(kRounds, std::vector<int64_t>(static_cast<size_t>(n)));
  std::vector<int64_t> sources(kRounds);
  for (int round = 0; round < kRounds; ++round) {
    const auto i = static_cast<size_t>(round);
    sums[i].assign(i % 2 == 0 ? 3000 : 1, member.rank + round);
    sources[i] = member.rank == round % n ? 7 * round : -1;
    gathered[i][static_cast<size_t>(member.rank)] = member.rank * round;
    works.resize(works.size() + 3);
    psWork* work = &works[works.size() - 3];
    require_ok(psAllReduce(world, sums[i].data(), sums[i].data(), sums[i].size(), PS_INT64, PS_SUM, nullptr, work));
    require_ok(psAllGather(world, &gathered[i][static_cast<size_t>(member.rank)], gathered[i].data(), 1, PS_INT64, nullptr,
                           work + 1));
    require_ok(psBroadcast(world, &sources[i], &sources[i], 1, PS_INT64, round % n, nullptr, work + 2));
  }
  require_ok(psBarrier(world, nullptr));
  for (psWork work : works) {
    require_ok(psWorkWait(work, -1));
    require_ok(psWorkFree(work));
  }
  for (int round = 0; round < kRounds; ++round) {
    const auto i = static_cast<size_t>(round);
    const int64_t sum = n * (n - 1) / 2 + static_cast<int64_t>(n) * round;
    for (const int64_t element : sums[i]) require(element == sum, "a wrong sum");
    for (int rank = 0; rank < n; ++rank) require(gathered[i][static_cast<size_t>(rank)] == rank * round, "gathered wrongly");
    require(sources[i] == 7 * round, "broadcast wrongly");
  }
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Of all, with a communicator of its own, so that its failure is no other's.
psGroup group_to_fail(const Member& member, psContext context) {
  std::vector<int32_t> ranks;
  for (int rank = 0; rank < member.size; ++rank) ranks.push_back(rank);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  options.timeout_ms = 30'000;
  psGroup group = nullptr;
  require_ok(psNewGroup(context, ranks.data(), ranks.size(), &options, &group));
  return group;
}

// Between hosts, in a stage and beside it: who calls something else is named by all.
const Body mismatches("mismatches_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const int n = member.size;
  for (int odd = 0; odd < n; ++odd) {
    for (const bool staged : {true, false}) {
      psGroup group = group_to_fail(member, context);
      int64_t value = 1;
      std::vector<int64_t> all(static_cast<size_t>(n));
      const psResult result =
          member.rank != odd ? psAllReduce(group, &value, &value, 1, PS_INT64, PS_SUM, nullptr, nullptr)
          : staged           ? psAllReduce(group, &value, &value, 1, PS_INT64, PS_MAX, nullptr, nullptr)
                             : psAllGather(group, &value, all.data(), 1, PS_INT64, nullptr, nullptr);
      require_error(result, PS_ERR_MISMATCH, "called all_reduce(count 1, int64, ");
      require(value == 1 && all == std::vector<int64_t>(static_cast<size_t>(n)), "an output was written");
      require_ok(psGroupFree(group));
    }
  }
  require_ok(psFinalize(context));
});

// Calls that differ between hosts and not on them: their stages meet nowhere, or meet a later operation's.
const Body mismatches_between("mismatches_between_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const bool here = hosts_of(member)[static_cast<size_t>(member.rank)] == 'a';
  for (const bool returns : {true, false}) {
    psGroup group = group_to_fail(member, context);
    int64_t value = 1;
    int64_t sum = 0;
    const auto all_reduce = [&] { return psAllReduce(group, &value, &sum, 1, PS_INT64, PS_SUM, nullptr, nullptr); };
    psResult result = PS_OK;
    if (!here) {
      result = returns ? all_reduce() : psBarrier(group, nullptr);
    } else if (returns) {
      // A broadcast's root waits for nobody, and the next call looks like the others' first.
      result = psBroadcast(group, &value, &value, 1, PS_INT64, 1, nullptr, nullptr);
      if (result == PS_OK) result = all_reduce();
    } else {
      // Nor do those whose part a reduce's root is to add.
      result = psReduce(group, &value, &sum, 1, PS_INT64, PS_SUM, 1, nullptr, nullptr);
      if (result == PS_OK) result = psBarrier(group, nullptr);
    }
    require_error(result, PS_ERR_MISMATCH, "called ");
    require(sum == 0, "an output was written");
    require_ok(psGroupFree(group));
  }
  require_ok(psFinalize(context));
});

// The last rank does not come. All name it, also those that wait for others which wait for it.
const Body one_is_missing("one_is_missing_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const psGroup world = world_of(context);
  const int last = member.size - 1;
  std::string text;
  int32_t all_name_it = 0;
  // Who came late itself may be taken for missing too: then it takes more time to tell.
  for (const int64_t deadline_ms : {1500, 6000, 24'000}) {
    const psGroup group = group_to_fail(member, context);
    require_ok(psBarrier(group, nullptr));  // connects
    require_ok(psGroupSetTimeout(group, deadline_ms));
    int64_t value = 1;
    int32_t names_it = 1;
    if (member.rank != last) {
      require_error(psAllReduce(group, &value, &value, 1, PS_INT64, PS_SUM, nullptr, nullptr), PS_ERR_TIMEOUT);
      text = psLastError();
      psGroupInfo info = PS_GROUP_INFO_INIT;
      require_ok(psGetGroupInfo(group, &info));
      const bool first = text.find("; missing: rank " + std::to_string(last) + " ") != std::string::npos;
      names_it = first && info.failed_global_rank == last ? 1 : 0;
    }
    require_ok(psAllReduce(world, &names_it, &all_name_it, 1, PS_INT32, PS_MIN, nullptr, nullptr));
    require_ok(psGroupFree(group));
    if (all_name_it != 0) break;
  }
  require(all_name_it != 0, "another rank is blamed: " + text);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Large calls in place on ranks that send nothing.
const Body receives_alone("receive_in_place_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  psGroup world = world_of(context);
  const auto n = static_cast<size_t>(member.size);
  constexpr size_t kCount = 300'000;
  std::vector<int32_t> blocks(n * kCount);
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<int32_t>(i);
  const bool is_root = member.rank == 0;
  const auto check = [&](const std::vector<int32_t>& got, size_t first) {
    for (size_t i = 0; i < kCount; ++i) require(got[i] == static_cast<int32_t>(first + i), "a wrong element");
  };
  std::vector<int32_t> block(kCount);
  require_ok(psScatter(world, is_root ? blocks.data() : block.data(), block.data(), kCount, PS_INT32, 0, nullptr, nullptr));
  check(block, static_cast<size_t>(member.rank) * kCount);

  std::vector<size_t> sent(n, is_root ? kCount : 0);
  sent[0] = 0;
  std::vector<size_t> received(n, 0);
  received[0] = is_root ? 0 : kCount;
  std::fill(block.begin(), block.end(), 0);
  require_ok(psAllToAllV(world, is_root ? blocks.data() : block.data(), sent.data(), nullptr, block.data(), received.data(),
                         nullptr, PS_INT32, nullptr, nullptr));
  if (!is_root) check(block, (static_cast<size_t>(member.rank) - 1) * kCount);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Sums of bfloat16 whose last piece is shorter than the others: partial results are wider than results.
const Body short_last_pieces("short_last_pieces", [](Member& member) {
  const psContext context = join_on_hosts(member, 256 << 10);
  const psGroup world = world_of(context);
  const auto number = [](int rank, size_t i) {  // a small integer, whose bfloat16 is the upper half of its float
    const auto value = static_cast<float>((static_cast<size_t>(rank) + i) % 5);
    uint32_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<uint16_t>(bits >> 16);
  };
  const auto value = [](uint16_t half) {
    const uint32_t bits = uint32_t{half} << 16;
    float number = 0;
    std::memcpy(&number, &bits, sizeof number);
    return number;
  };
  for (size_t count = 40'000; count < 200'000; count += 7'777) {
    std::vector<uint16_t> input(count);
    std::vector<uint16_t> output(count);
    for (size_t i = 0; i < count; ++i) input[i] = number(member.rank, i);
    for (int round = 0; round < 3; ++round) {
      require_ok(psAllReduce(world, input.data(), output.data(), count, PS_BFLOAT16, PS_SUM, nullptr, nullptr));
      for (size_t i = 0; i < count; ++i) {
        float sum = 0;
        for (int rank = 0; rank < member.size; ++rank) sum += value(number(rank, i));
        require(value(output[i]) == sum, "a wrong sum");
      }
    }
  }
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Memory of a group that spans hosts is each rank's own; what members must agree on is the same.
const Body memory_over_hosts("memory_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const psGroup world = world_of(context);
  constexpr size_t kCount = 100'000;
  constexpr size_t kBytes = kCount * sizeof(int32_t);
  const bool is_last = member.rank == member.size - 1;
  const std::string last = "rank " + std::to_string(member.size - 1);
  const auto check_sums = [&](int32_t* numbers) {
    std::fill_n(numbers, kCount, member.rank + 1);
    require_ok(psAllReduce(world, numbers, numbers, kCount, PS_INT32, PS_SUM, nullptr, nullptr));
    const int32_t sum = member.size * (member.size + 1) / 2;
    require(std::all_of(numbers, numbers + kCount, [&](int32_t number) { return number == sum; }), "a wrong sum");
  };
  int32_t* parts[2] = {};
  void* memory = nullptr;
  for (int32_t*& part : parts) {
    require_ok(psMemAlloc(world, kBytes, PS_DEVICE_HOST, &memory));
    part = static_cast<int32_t*>(memory);
    require(part[0] == 0 && part[kCount - 1] == 0, "memory is not zeroed");
  }
  require_error(psMemAlloc(world, is_last ? 100 : 200, PS_DEVICE_HOST, &memory), PS_ERR_MISMATCH,
                last + " asks for 100 bytes, but rank 0 for 200");
  require_error(psMemFree(world, parts[is_last ? 0 : 1]), PS_ERR_MISMATCH, last + " names other memory in psMemFree");
  std::vector<int32_t> own(2 * kCount);
  require_ok(psGroupRegister(world, own.data(), kBytes));
  require_ok(psGroupRegister(world, own.data() + kCount, is_last ? 0 : kBytes));
  require_error(psGroupDeregister(world, own.data() + (is_last ? 0 : kCount)), PS_ERR_MISMATCH,
                last + " names other memory in psGroupDeregister");
  for (int32_t* const numbers : {parts[0], parts[1], own.data(), own.data() + kCount}) check_sums(numbers);
  require_ok(psGroupDeregister(world, own.data()));
  require_error(psGroupDeregister(world, own.data()), PS_ERR_ARGUMENT, "psGroupRegister");
  require_ok(psMemFree(world, parts[1]));
  require_error(psMemFree(world, parts[1]), PS_ERR_ARGUMENT, "no memory that psMemAlloc gave");
  check_sums(parts[0]);
  require_ok(psGroupFree(world));  // with what is left
  require_ok(psFinalize(context));
});

// The last rank leaves in the middle of a large sum. Everybody else is told that it has, before any deadline.
const Body one_leaves_within("one_leaves_within", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const psGroup world = world_of(context);
  const size_t count = size_t{8} << 20;
  std::vector<float> input(count, 1.0F);
  std::vector<float> output(count);
  const auto sum = [&](psWork* work) {
    return psAllReduce(world, input.data(), output.data(), count, PS_FLOAT32, PS_SUM, nullptr, work);
  };
  require_ok(sum(nullptr));
  if (member.rank == member.size - 1) {
    psWork work = nullptr;
    require_ok(sum(&work));
    require_ok(psFinalize(context));
    psWorkFree(work);
    psGroupFree(world);
    return;
  }
  const psResult result = sum(nullptr);
  const std::string text = psLastError();
  const auto says = [&](const char* part) { return text.find(part) != std::string::npos; };
  // What it did last may be heard first, and where the machine is loaded the end of its connections before both.
  require(says("left by psFinalize") || says("has freed the group") || says("cannot be reached any more ("), text);
  require(result == PS_ERR_PEER_FAILED && says(("rank " + std::to_string(member.size - 1) + " (pid ").c_str()), text);
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
});

// Groups of a layout go the same ways. Each has one member a host at most, or several on each.
const Body layout_over_hosts("layout_over_hosts", [](Member& member) {
  const psContext context = join_on_hosts(member);
  const std::string spec = member.size % 2 == 0 ? "grid:pair=2,rest=*;whole:all=*" : "grid:all=*";
  require_ok(psInitModelParallel(context, spec.c_str(), nullptr));
  for (const char* const name : {"all", "pair", "rest"}) {
    if (member.size % 2 != 0 && std::string(name) != "all") continue;
    psGroup group = nullptr;
    require_ok(psGetGroup(context, name, &group));
    psGroupInfo info = PS_GROUP_INFO_INIT;
    require_ok(psGetGroupInfo(group, &info));
    std::vector<int32_t> ranks(static_cast<size_t>(info.size));
    size_t count = 0;
    require_ok(psGroupGlobalRanks(group, ranks.data(), ranks.size(), &count));
    const auto host_of = [&](int32_t rank) { return hosts_of(member)[static_cast<size_t>(rank)]; };
    const auto here = std::ranges::count_if(ranks, [&](int32_t rank) { return host_of(rank) == host_of(member.rank); });
    require(shares_memory(context, ranks) == (here > 1),
            std::string(name) + " shares memory although it cannot, or not although it can");
    std::string hosts;
    for (const int32_t rank : ranks) hosts += host_of(rank);
    sweep(group, hosts, small_cases(info.size, 5, stride_of(401, 1801)));
    sweep(group, hosts, large_cases(info.size, 2, stride_of(31, 71)));
    require_ok(psGroupFree(group));
  }
  require_ok(psDestroyModelParallel(context));
  require_ok(psFinalize(context));
});

void run_over(const Body& body, const std::string& hosts_and_rules) {
  const size_t size = std::min(hosts_and_rules.find(' '), hosts_and_rules.size());
  run_world(body, Ranks::kProcesses, static_cast<int>(size), hosts_and_rules, sweep_deadline());
}

class Hosts : public testing::TestWithParam<const char*> {
 protected:
  void run(const Body& body) const { run_over(body, GetParam()); }
};

TEST_P(Hosts, Sweep) { run(sweep_over_hosts); }
TEST_P(Hosts, Deterministic) { run(deterministic); }
TEST_P(Hosts, InTurn) { run(in_turn); }
TEST_P(Hosts, Layout) { run(layout_over_hosts); }
TEST_P(Hosts, Mismatches) { run(mismatches); }
TEST_P(Hosts, ReceivesAlone) { run(receives_alone); }
TEST_P(Hosts, Memory) { run(memory_over_hosts); }

// Two pairs; one rank alone beside three; ranks in turn; hosts of three sizes, whose first members are not in order.
INSTANTIATE_TEST_SUITE_P(Shapes, Hosts, testing::Values("aabb", "abbb", "abab", "abbcac", "ab"));

TEST(HostsThatDiffer, OneIsMissing) { run_over(one_is_missing, "aabb"); }
TEST(HostsThatDiffer, Mismatch) { run_over(mismatches_between, "aabb"); }

TEST(HostsUnderRules, Flat) { run_over(under_rules, "abab *:hosts=flat"); }
TEST(HostsUnderRules, Staged) { run_over(under_rules, "aabb *=staged"); }
TEST(HostsUnderRules, StagesOnHosts) {
  for (const char* algorithm : {"tree", "pipeline", "single-copy"}) {
    run_over(stages_on_hosts, std::string("aabb *:shm=") + algorithm);
  }
  run_over(stages_on_hosts, "aaabbb *:shm=tree");
}
TEST(HostsUnderRules, Striped) {
  run_over(under_rules, "abba all_reduce:hosts=striped");
  run_over(under_rules, "aaabbb all_reduce=striped");
  run_over(under_rules, "abcabc all_reduce=striped");
  run_over(mismatches, "aabb all_reduce=striped");
  run_over(short_last_pieces, "aabb all_reduce=striped");
  run_over(short_last_pieces, "aaabbb all_reduce=striped");
  for (int round = 0; round < 5; ++round) run_over(one_leaves_within, "aabb all_reduce=striped");
}

}  // namespace
}  // namespace ps_test
