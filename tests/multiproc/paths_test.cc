// Which way large data goes: buffers that all members have mapped are used where they are, and what the kernel moves
// from buffer to buffer passes through no shared memory either. Were it otherwise, results would be as right and only
// late. So two witnesses are asked: what psDescribe counts, and the pages of the group's memory, of which nobody has
// touched more.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

using Json = nlohmann::json;

constexpr size_t kCount = 100'000;  // of a block: far above what goes in one shot
constexpr int kRoot = 1;

using In = const float*;
using Out = float*;
constexpr psDataType kType = PS_FLOAT32;

struct Operation {
  const char* name;  // as psDescribe has it
  psResult (*run)(psGroup, In, Out);
};

constexpr Operation kOperations[] = {
    {"all_reduce",
     [](psGroup g, In in, Out out) { return psAllReduce(g, in, out, kCount, kType, PS_SUM, nullptr, nullptr); }},
    {"all_reduce",  // in place
     [](psGroup g, In, Out out) { return psAllReduce(g, out, out, kCount, kType, PS_MAX, nullptr, nullptr); }},
    {"reduce",
     [](psGroup g, In in, Out out) { return psReduce(g, in, out, kCount, kType, PS_SUM, kRoot, nullptr, nullptr); }},
    {"reduce_scatter",
     [](psGroup g, In in, Out out) { return psReduceScatter(g, in, out, kCount, kType, PS_SUM, nullptr, nullptr); }},
    {"broadcast",
     [](psGroup g, In in, Out out) { return psBroadcast(g, in, out, kCount, kType, kRoot, nullptr, nullptr); }},
    {"all_gather",
     [](psGroup g, In in, Out out) { return psAllGather(g, in, out, kCount, kType, nullptr, nullptr); }},
    {"all_to_all",
     [](psGroup g, In in, Out out) { return psAllToAll(g, in, out, kCount, kType, nullptr, nullptr); }},
    {"gather",
     [](psGroup g, In in, Out out) { return psGather(g, in, out, kCount, kType, kRoot, nullptr, nullptr); }},
    {"scatter",
     [](psGroup g, In in, Out out) { return psScatter(g, in, out, kCount, kType, kRoot, nullptr, nullptr); }},
};

// Pages of all communicators' memory that anybody has touched.
size_t pages_of_groups() {
  const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  size_t pages = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.find("/memfd:parallelstate-group") == std::string::npos) continue;
    size_t end_of_begin = 0;
    const size_t begin = std::stoul(line, &end_of_begin, 16);
    const size_t end = std::stoul(line.substr(end_of_begin + 1), nullptr, 16);
    std::vector<unsigned char> resident((end - begin) / page);
    require(::mincore(reinterpret_cast<void*>(begin), end - begin, resident.data()) == 0, "mincore failed");
    for (const unsigned char is_there : resident) pages += is_there & 1;
  }
  require(pages > 0, "no memory of a group is mapped");
  return pages;
}

// What psDescribe says of the group's communicator.
Json communicator_of(psContext context, const char* group) {
  const Json world = Json::parse(described(context));
  for (const Json& each : world["groups"]) {
    if (each["name"] != group) continue;
    for (const Json& communicator : world["communicators"]) {
      if (communicator["serial"] == each["communicator"]) return communicator;
    }
  }
  throw Failure(std::string("psDescribe lacks group ") + group);
}

psGroup fresh_group(psContext context, int size) {
  std::vector<int32_t> all(static_cast<size_t>(size));
  std::iota(all.begin(), all.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = "fresh";
  options.flags = PS_OWN_COMMUNICATOR;
  psGroup group = nullptr;
  require_ok(psNewGroup(context, all.data(), all.size(), &options, &group));
  return group;
}

// The argument: "registered" or "plain", then PS_CROSS_MEMORY, "-" unset.
const Body paths("paths", [](Member& member) {
  const bool is_registered = member.argument.starts_with("registered");
  const std::string cross_memory = member.argument.substr(member.argument.find(' ') + 1);
  ::unsetenv("PS_CROSS_MEMORY");
  if (cross_memory != "-") ::setenv("PS_CROSS_MEMORY", cross_memory.c_str(), 1);
  psContext context = join(member.rendezvous + "-paths", member.rank, member.size);
  const size_t numbers = static_cast<size_t>(member.size) * kCount;
  std::vector<float> plain(is_registered ? 0 : 2 * numbers, 1.0F);
  for (const Operation& operation : kOperations) {
    psGroup group = fresh_group(context, member.size);
    void* memory = plain.data();
    if (is_registered) require_ok(psMemAlloc(group, 2 * numbers * sizeof(float), PS_DEVICE_HOST, &memory));
    auto* const input = static_cast<float*>(memory);
    require_ok(psBarrier(group, nullptr));
    const size_t before = pages_of_groups();
    require_ok(psBarrier(group, nullptr));
    require_ok(operation.run(group, input, input + numbers));
    require_ok(psBarrier(group, nullptr));
    const size_t more = pages_of_groups() - before;
    require_ok(psBarrier(group, nullptr));

    const Json communicator = communicator_of(context, "fresh");
    const std::string in_force = communicator["dispatch"][operation.name];
    const bool in_one_copy = in_force.find("single-copy") != std::string::npos;
    if (member.argument == "plain 0") require(!in_one_copy, "PS_CROSS_MEMORY=0 is not heeded");
    const bool is_staged = !is_registered && !in_one_copy;
    const std::string path = is_registered                                 ? "direct"
                             : in_one_copy                                 ? "single-copy"
                             : std::string(operation.name) == "all_reduce" ? "two-shot"
                                                                           : "pipeline";
    const std::string what = std::string(operation.name) + ", " + member.argument + ": " +
                             communicator["paths"][operation.name].dump() + ", " + std::to_string(more) + " more pages";
    require(communicator["paths"][operation.name] == Json({{path, 1}}), what + " instead of " + path);
    // Each stages a share of its block at least.
    const size_t least = kCount * sizeof(float) / 2 / static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    require(is_staged ? more >= least : more == 0, what + (is_staged ? ", too few" : ", which nobody should touch"));
    if (is_registered) require_ok(psMemFree(group, memory));
    require_ok(psGroupFree(group));
  }
  require_ok(psFinalize(context));
});

TEST(Paths, BuffersThatAllHaveMappedAreUsedWhereTheyAre) {
  for (const int size : {2, 3}) {
    run_world(paths, Ranks::kProcesses, size, "registered 0");
    run_world(paths, Ranks::kProcesses, size, "registered 1");
    run_world(paths, Ranks::kProcesses, size, "registered -");
  }
}

TEST(Paths, PlainBuffersGoThroughTheRings) { run_world(paths, Ranks::kProcesses, 2, "plain 0"); }

// That they do where the system lets them is CrossMemory's.
TEST(Paths, PlainBuffersThatAreOnlyMovedGoFromOneToTheOther) { run_world(paths, Ranks::kProcesses, 2, "plain 1"); }

TEST(Paths, PlainBuffersGoWhereItWasFoundToBeFaster) { run_world(paths, Ranks::kProcesses, 2, "plain -"); }

}  // namespace
}  // namespace ps_test
