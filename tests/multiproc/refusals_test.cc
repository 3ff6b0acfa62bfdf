// Calls that are refused: the right code, a text that names what is wrong, and a group that goes on as if nothing had
// been called.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kHuge = std::numeric_limits<size_t>::max() / 2;

// What calls are made of; each refusal changes one thing.
struct Arguments {
  psGroup group = nullptr;
  const void* send = nullptr;
  void* recv = nullptr;
  size_t count = 1;
  psDataType dtype = PS_INT32;
  psReduceOp op = PS_SUM;
  int32_t root = 0;
  const size_t* counts = nullptr;
  const size_t* offsets = nullptr;
};

struct Function {
  const char* name;
  std::function<psResult(const Arguments&)> call;
  bool sends = true;     // every rank must give a send buffer
  bool receives = true;  // every rank must give a receive buffer
  bool reduces = false;
  bool rooted = false;
  bool counted = true;
  bool listed = false;  // counts come as a list
};

std::vector<Function> collectives() {
  return {
      {"psAllReduce",
       [](const Arguments& a) {
         return psAllReduce(a.group, a.send, a.recv, a.count, a.dtype, a.op, nullptr, nullptr);
       },
       true, true, true},
      {"psReduce",
       [](const Arguments& a) {
         return psReduce(a.group, a.send, a.recv, a.count, a.dtype, a.op, a.root, nullptr, nullptr);
       },
       true, false, true, true},
      {"psBroadcast",
       [](const Arguments& a) {
         return psBroadcast(a.group, a.send, a.recv, a.count, a.dtype, a.root, nullptr, nullptr);
       },
       false, true, false, true},
      {"psAllGather",
       [](const Arguments& a) { return psAllGather(a.group, a.send, a.recv, a.count, a.dtype, nullptr, nullptr); }},
      {"psAllGatherV",
       [](const Arguments& a) {
         return psAllGatherV(a.group, a.send, a.count, a.recv, a.counts, a.offsets, a.dtype, nullptr, nullptr);
       },
       true, true, false, false, true, true},
      {"psGather",
       [](const Arguments& a) { return psGather(a.group, a.send, a.recv, a.count, a.dtype, a.root, nullptr, nullptr); },
       true, false, false, true},
      {"psGatherV",
       [](const Arguments& a) {
         return psGatherV(a.group, a.send, a.count, a.recv, a.counts, a.offsets, a.dtype, a.root, nullptr, nullptr);
       },
       true, false, false, true, true},
      {"psScatter",
       [](const Arguments& a) {
         return psScatter(a.group, a.send, a.recv, a.count, a.dtype, a.root, nullptr, nullptr);
       },
       false, true, false, true},
      {"psScatterV",
       [](const Arguments& a) {
         return psScatterV(a.group, a.send, a.counts, a.offsets, a.recv, a.count, a.dtype, a.root, nullptr, nullptr);
       },
       false, true, false, true, true},
      {"psReduceScatter",
       [](const Arguments& a) {
         return psReduceScatter(a.group, a.send, a.recv, a.count, a.dtype, a.op, nullptr, nullptr);
       },
       true, true, true},
      {"psReduceScatterV",
       [](const Arguments& a) {
         return psReduceScatterV(a.group, a.send, a.recv, a.counts, a.dtype, a.op, nullptr, nullptr);
       },
       true, true, true, false, false, true},
      {"psAllToAll",
       [](const Arguments& a) { return psAllToAll(a.group, a.send, a.recv, a.count, a.dtype, nullptr, nullptr); }},
      {"psAllToAllV",
       [](const Arguments& a) {
         return psAllToAllV(a.group, a.send, a.counts, nullptr, a.recv, a.counts, a.offsets, a.dtype, nullptr, nullptr);
       },
       true, true, false, false, false, true},
      {"psSend",
       [](const Arguments& a) { return psSend(a.group, a.send, a.count, a.dtype, a.root, 0, nullptr, nullptr); }, true,
       false, false, true},
      {"psRecv",
       [](const Arguments& a) { return psRecv(a.group, a.recv, a.count, a.dtype, a.root, 0, nullptr, nullptr); }, false,
       true, false, true},
  };
}

// Refused with this code and text, and the group still adds up.
class Refusals {
 public:
  explicit Refusals(const Member& member) : member_(member) {}

  void check(const std::string& what, psResult result, psResult expected, const std::string& text) {
    const std::string found = psLastError();
    require(result == expected,
            what + ": " + psResultName(result) + " instead of " + psResultName(expected) + ": " + found);
    require(found.find(text) != std::string::npos, what + ": the text \"" + found + "\" does not say \"" + text + "\"");
    int32_t value = 1;
    require_ok(psAllReduce(member_.world, &value, &value, 1, PS_INT32, PS_SUM, nullptr, nullptr));
    require(value == member_.size, what + ": the group is harmed");
  }

 private:
  const Member& member_;
};

const Body collective_refusals("collective_refusals", [](Member& member) {
  Refusals refusals(member);
  const auto n = static_cast<size_t>(member.size);
  std::vector<int32_t> memory(8 * n);
  const std::vector<size_t> ones(n, 1);
  const std::vector<size_t> huge(n, kHuge);
  const std::vector<size_t> same_place(n, 0);
  Arguments good{member.world, memory.data(), memory.data() + 4 * n, 1,      PS_INT32,
                 PS_SUM,       member.rank,   ones.data(),           nullptr};
  for (const Function& function : collectives()) {
    const auto refuse = [&](const char* what, psResult expected, const char* text, auto&& change) {
      Arguments bad = good;
      change(bad);
      refusals.check(std::string(function.name) + " with " + what, function.call(bad), expected, text);
    };
    refuse("no group", PS_ERR_ARGUMENT, "group", [](Arguments& a) { a.group = nullptr; });
    refuse("a wrong type", PS_ERR_ARGUMENT, "99", [](Arguments& a) { a.dtype = 99; });
    refuse("type 0", PS_ERR_ARGUMENT, "data type", [](Arguments& a) { a.dtype = 0; });
    if (function.counted)
      refuse("a count that overflows", PS_ERR_ARGUMENT, "overflow", [](Arguments& a) { a.count = kHuge; });
    if (function.sends) refuse("no send", PS_ERR_ARGUMENT, "send", [](Arguments& a) { a.send = nullptr; });
    if (function.receives) refuse("no recv", PS_ERR_ARGUMENT, "recv", [](Arguments& a) { a.recv = nullptr; });
    if (function.reduces) {
      refuse("a wrong reduction", PS_ERR_ARGUMENT, "77", [](Arguments& a) { a.op = 77; });
      refuse("a reduction that nobody made", PS_ERR_ARGUMENT, "psReduceOpCreate", [](Arguments& a) { a.op = 65536; });
      for (psDataType dtype = PS_INT8; dtype <= PS_BOOL; ++dtype) {
        for (psReduceOp op = PS_SUM; op <= PS_LOGICAL_XOR; ++op) {
          const bool logical = op >= PS_LOGICAL_AND;
          const bool bits = op >= PS_BIT_AND && !logical;
          const bool real = dtype >= PS_FLOAT16 && dtype <= PS_FLOAT8_E5M2;
          if (dtype == PS_BOOL ? logical : !logical && !(bits && real)) continue;
          refuse("an illegal reduction", PS_ERR_UNSUPPORTED, "cannot be reduced",
                 [&](Arguments& a) { a.dtype = dtype, a.op = op; });
        }
      }
    }
    if (function.rooted) {
      refuse("a root that is too large", PS_ERR_ARGUMENT, "no rank of group",
             [&](Arguments& a) { a.root = member.size; });
      refuse("a negative root", PS_ERR_ARGUMENT, "-1", [](Arguments& a) { a.root = -1; });
    }
    if (function.listed) {
      refuse("no counts", PS_ERR_ARGUMENT, "counts", [](Arguments& a) { a.counts = nullptr; });
      refuse("counts that overflow", PS_ERR_ARGUMENT, "overflow", [&](Arguments& a) { a.counts = huge.data(); });
    }
    const bool one_buffer = function.name == std::string("psSend") || function.name == std::string("psRecv");
    // Wherever send and recv may be equal, one byte further they may not.
    if (!one_buffer) {
      refuse("buffers that overlap", PS_ERR_ARGUMENT, "overlap", [&](Arguments& a) {
        a.recv = memory.data();
        a.send = reinterpret_cast<char*>(memory.data()) + 1;
      });
    }
  }
  const Arguments& a = good;
  if (n > 1) {
    // Each block may be, all of them together may not.
    const size_t much = kHuge / 4 - 1;
    const std::vector<size_t> many(n, much);
    const auto too_many = [&](const char* what, psResult result) {
      refusals.check(what, result, PS_ERR_ARGUMENT, "overflow");
    };
    too_many("psAllGather", psAllGather(a.group, a.send, a.recv, much, a.dtype, nullptr, nullptr));
    too_many("psAllToAll", psAllToAll(a.group, a.send, a.recv, much, a.dtype, nullptr, nullptr));
    too_many("psScatter", psScatter(a.group, a.send, a.recv, much, a.dtype, member.rank, nullptr, nullptr));
    too_many("psGather", psGather(a.group, a.send, a.recv, much, a.dtype, member.rank, nullptr, nullptr));
    too_many("psReduceScatter", psReduceScatter(a.group, a.send, a.recv, much, a.dtype, PS_SUM, nullptr, nullptr));
    too_many("psReduceScatterV",
             psReduceScatterV(a.group, a.send, a.recv, many.data(), a.dtype, PS_SUM, nullptr, nullptr));
    too_many("offsets", psAllGatherV(a.group, a.send, 1, a.recv, ones.data(), huge.data(), a.dtype, nullptr, nullptr));
    refusals.check("received blocks that overlap",
                   psAllGatherV(a.group, a.send, 1, a.recv, ones.data(), same_place.data(), a.dtype, nullptr, nullptr),
                   PS_ERR_ARGUMENT, "overlap");
    refusals.check("received blocks that overlap",
                   psAllToAllV(a.group, a.send, ones.data(), nullptr, a.recv, ones.data(), same_place.data(), a.dtype,
                               nullptr, nullptr),
                   PS_ERR_ARGUMENT, "overlap");
  }
  refusals.check("an own count that differs",
                 psAllGatherV(a.group, a.send, 2, a.recv, ones.data(), nullptr, a.dtype, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "recv_counts");
  refusals.check("PREMUL_SUM itself",
                 psAllReduce(a.group, a.send, a.recv, 1, PS_FLOAT32, PS_PREMUL_SUM, nullptr, nullptr), PS_ERR_ARGUMENT,
                 "psReduceOpCreate");
});

const Body operator_refusals("operator_refusals", [](Member& member) {
  Refusals refusals(member);
  const float scalar = 2;
  psReduceOp op = 0;
  const auto create = [&](psReduceOp kind, psDataType dtype, const void* value, psReduceOp* out) {
    return psReduceOpCreate(member.world, kind, dtype, value, out);
  };
  refusals.check("another kind", create(PS_SUM, PS_FLOAT32, &scalar, &op), PS_ERR_ARGUMENT, "PS_PREMUL_SUM");
  refusals.check("an integer type", create(PS_PREMUL_SUM, PS_INT32, &scalar, &op), PS_ERR_UNSUPPORTED, "floating");
  refusals.check("no scalar", create(PS_PREMUL_SUM, PS_FLOAT32, nullptr, &op), PS_ERR_ARGUMENT, "scalar");
  refusals.check("no output", create(PS_PREMUL_SUM, PS_FLOAT32, &scalar, nullptr), PS_ERR_ARGUMENT, "op");
  require(op == 0, "outputs are written on success alone");
  require_ok(create(PS_PREMUL_SUM, PS_FLOAT32, &scalar, &op));
  double value = 1;
  refusals.check("another type", psAllReduce(member.world, &value, &value, 1, PS_FLOAT64, op, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "float32");
  require_ok(psReduceOpFree(member.world, op));
  refusals.check("a second free", psReduceOpFree(member.world, op), PS_ERR_ARGUMENT, "freed");
  float single = 1;
  refusals.check("a freed reduction", psAllReduce(member.world, &single, &single, 1, PS_FLOAT32, op, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "no reduction");
});

const Body message_refusals("message_refusals", [](Member& member) {
  Refusals refusals(member);
  int32_t data[4] = {};
  const psGroup group = member.world;
  refusals.check("a negative tag", psSend(group, data, 1, PS_INT32, 0, -1, nullptr, nullptr), PS_ERR_ARGUMENT,
                 "tag -1");
  refusals.check("a rank too large", psSend(group, data, 1, PS_INT32, member.size, 0, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "dst");
  refusals.check("a rank too large", psRecv(group, data, 1, PS_INT32, member.size, 0, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "src");
  refusals.check("PS_NO_RANK", psRecv(group, data, 1, PS_INT32, PS_NO_RANK, 0, nullptr, nullptr), PS_ERR_ARGUMENT,
                 "src");
  refusals.check("overlap", psSendRecv(group, data, 2, PS_NEXT, data + 1, 2, PS_PREV, PS_INT32, 0, nullptr, nullptr),
                 PS_ERR_ARGUMENT, "overlap");
  refusals.check("a list of NULL", psBatch(group, nullptr, 2, nullptr, nullptr), PS_ERR_ARGUMENT, "messages");
  const auto batch = [&](const char* what, psResult expected, const char* text, auto&& change) {
    psMessage good = PS_MESSAGE_INIT;
    good.direction = PS_SEND;
    good.buffer = data;
    good.count = 1;
    good.dtype = PS_INT32;
    good.peer = PS_NEXT;
    psMessage messages[] = {good, good};
    change(messages[1]);
    refusals.check(std::string("psBatch with ") + what, psBatch(group, messages, 2, nullptr, nullptr), expected, text);
  };
  batch("a wrong direction", PS_ERR_ARGUMENT, "messages[1].direction", [](psMessage& m) { m.direction = 3; });
  batch("unknown flags", PS_ERR_ARGUMENT, "flags", [](psMessage& m) { m.flags = 1; });
  batch("another struct size", PS_ERR_ARGUMENT, "struct_size", [](psMessage& m) { m.struct_size = 8; });
  batch("no buffer", PS_ERR_ARGUMENT, "messages[1]: buffer is NULL", [](psMessage& m) { m.buffer = nullptr; });
  batch("a wrong type", PS_ERR_ARGUMENT, "messages[1]: -4", [](psMessage& m) { m.dtype = -4; });
  batch("a wrong peer", PS_ERR_ARGUMENT, "messages[1]: peer -7", [](psMessage& m) { m.peer = -7; });
  batch("a negative tag", PS_ERR_ARGUMENT, "messages[1]: tag -2", [](psMessage& m) { m.tag = -2; });
  batch("overlap", PS_ERR_ARGUMENT, "overlap", [](psMessage& m) { m.direction = PS_RECV; });
});

const Body group_refusals("group_refusals", [](Member& member) {
  Refusals refusals(member);
  psGroup group = nullptr;
  const auto make = [&](std::vector<int32_t> ranks, const psGroupOptions* options = nullptr) {
    return psNewGroup(member.context, ranks.data(), ranks.size(), options, &group);
  };
  const int32_t self = member.rank;
  refusals.check("a rank twice", make({self, self}), PS_ERR_ARGUMENT, "twice");
  refusals.check("a rank beyond the world", make({self, member.size}), PS_ERR_ARGUMENT, std::to_string(member.size));
  refusals.check("a negative rank", make({self, -1}), PS_ERR_ARGUMENT, "-1");
  refusals.check("a stranger", make({(self + 1) % member.size}), PS_ERR_ARGUMENT, "not a member");
  refusals.check("nobody", psNewGroup(member.context, &self, 0, nullptr, &group), PS_ERR_ARGUMENT, "at least one");
  refusals.check("no list", psNewGroup(member.context, nullptr, 1, nullptr, &group), PS_ERR_ARGUMENT, "global_ranks");
  refusals.check("no output", psNewGroup(member.context, &self, 1, nullptr, nullptr), PS_ERR_ARGUMENT, "group");
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_SERVE;
  refusals.check("a flag of something else", make({self}, &options), PS_ERR_ARGUMENT, "flags");
  options = PS_GROUP_OPTIONS_INIT;
  const std::string name(64, 'x');
  options.name = name.c_str();
  refusals.check("a long name", make({self}, &options), PS_ERR_ARGUMENT, "63");
  options = PS_GROUP_OPTIONS_INIT;
  options.backend = "carrier pigeon";
  refusals.check("an unknown backend", make({self}, &options), PS_ERR_UNSUPPORTED, "carrier pigeon");
  options = PS_GROUP_OPTIONS_INIT;
  options.struct_size = 4;
  refusals.check("a short struct", make({self}, &options), PS_ERR_ARGUMENT, "struct_size");
  struct {
    psGroupOptions known = PS_GROUP_OPTIONS_INIT;
    uint64_t tail = 1;
  } foreign;
  foreign.known.struct_size = sizeof foreign;
  refusals.check("an unknown tail", make({self}, &foreign.known), PS_ERR_UNSUPPORTED, "psGroupOptions");
  require(group == nullptr, "outputs are written on success alone");
  foreign.tail = 0;
  require_ok(make({self}, &foreign.known));
  require_ok(psGroupFree(group));
  refusals.check("a freed group", psBarrier(group, nullptr), PS_ERR_ARGUMENT, "group");
  refusals.check("a freed group, freed", psGroupFree(group), PS_ERR_ARGUMENT, "group");
  refusals.check("an unknown group", psGetGroup(member.context, "nobody", &group), PS_ERR_NOT_FOUND, "world");
  refusals.check("no part", psSplitGroup(member.world, 0, 0, nullptr, nullptr), PS_ERR_ARGUMENT, "part");
  refusals.check("an own deadline of 0", psGroupSetTimeout(member.world, 0), PS_ERR_ARGUMENT, "timeout_ms");
  int32_t rank = -5;
  refusals.check("a stranger's rank", psGroupFindGlobal(member.world, member.size, &rank), PS_ERR_NOT_FOUND,
                 "not a member");
  require(rank == -5, "outputs are written on success alone");
  size_t count = 0;
  refusals.check("no source", psSameHost(member.world, -1, nullptr, 0, &count), PS_ERR_ARGUMENT, "source");
  refusals.check("no work", psWorkWait(nullptr, 0), PS_ERR_ARGUMENT, "work");
  refusals.check("no work", psWorkTest(nullptr), PS_ERR_ARGUMENT, "work");
  require_ok(psGroupFree(nullptr));
  require_ok(psWorkFree(nullptr));
  require_ok(psFinalize(nullptr));
});

const Body context_refusals("context_refusals", [](Member& member) {
  Refusals refusals(member);
  psContext context = member.context;
  psWorldInfo world = PS_WORLD_INFO_INIT;
  psRankInfo rank = PS_RANK_INFO_INIT;
  refusals.check("no context", psGetWorldInfo(nullptr, &world), PS_ERR_ARGUMENT, "context");
  refusals.check("no output", psGetWorldInfo(context, nullptr), PS_ERR_ARGUMENT, "info");
  world.struct_size = 4;
  refusals.check("a short struct", psGetWorldInfo(context, &world), PS_ERR_ARGUMENT, "struct_size");
  refusals.check("a negative rank", psGetRankInfo(context, -1, &rank), PS_ERR_ARGUMENT, "-1");
  refusals.check("a rank too large", psGetRankInfo(context, member.size, &rank), PS_ERR_ARGUMENT,
                 std::to_string(member.size));
  refusals.check("no output", psDescribe(context, nullptr), PS_ERR_ARGUMENT, "json");
  refusals.check("no output", psGetStore(context, nullptr), PS_ERR_ARGUMENT, "store");
  refusals.check("no output", psInit(nullptr, nullptr), PS_ERR_ARGUMENT, "context");
  psConfig config = PS_CONFIG_INIT;
  config.flags = PS_SERVE | PS_NO_ENVIRONMENT;
  psContext other = nullptr;
  refusals.check("a flag of something else", psInit(&config, &other), PS_ERR_ARGUMENT, "flags");
  config.flags = PS_NO_ENVIRONMENT;
  config.rendezvous = "mem://refused";
  config.rank = 2;
  config.world_size = 2;
  refusals.check("a rank out of the world", psInit(&config, &other), PS_ERR_ARGUMENT, "rank");
  config.rank = -1;
  refusals.check("a negative rank", psInit(&config, &other), PS_ERR_ARGUMENT, "rank");
  config.rank = 0;
  config.timeout_ms = -2;
  refusals.check("a negative deadline", psInit(&config, &other), PS_ERR_ARGUMENT, "timeout_ms");
  config.timeout_ms = 0;
  config.rendezvous = "carrier://pigeon";
  refusals.check("an unknown meeting place", psInit(&config, &other), PS_ERR_ARGUMENT, "carrier");
  require(other == nullptr, "outputs are written on success alone");
});

class RefusedCalls : public testing::TestWithParam<Ranks> {};

TEST_P(RefusedCalls, Collectives) {
  for (const int size : {1, 3}) run_world(collective_refusals, GetParam(), size);
}
TEST_P(RefusedCalls, Operators) { run_world(operator_refusals, GetParam(), 2); }
TEST_P(RefusedCalls, Messages) { run_world(message_refusals, GetParam(), 3); }
TEST_P(RefusedCalls, Contexts) { run_world(context_refusals, GetParam(), 2); }
TEST_P(RefusedCalls, Groups) { run_world(group_refusals, GetParam(), 3); }

INSTANTIATE_TEST_SUITE_P(Over, RefusedCalls, testing::Values(Ranks::kThreads, Ranks::kProcesses),
                         [](const auto& info) { return describe(info.param); });

}  // namespace
}  // namespace ps_test
