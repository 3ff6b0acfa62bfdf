// Every row of the shared table, in C++ over the public header alone:
//
//     parallelstate-conformance table.txt          four threads of this process are the ranks
//     psctl run -n 4 parallelstate-conformance table.txt
//
// Prints what is not as the table says, and last, for each rank, how many rows were. Exit status 0: all of them.
#include <parallelstate.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "table.h"

namespace conformance {
namespace {

constexpr int32_t kRanks = 4;
constexpr int32_t kTag = 5;
constexpr size_t kGuard = 64;  // bytes behind every output, which nobody may write
constexpr unsigned char kUntouched = 0xA5;

class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void check(psResult result, const std::string& what) {
  if (result < 0) throw Failure(what + ": " + psResultName(result) + ": " + psLastError());
}

// A handle and the function that frees it.
template <typename Handle, psResult (*Free)(Handle)>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() { Free(handle_); }
  operator Handle() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};

using Context = Owned<psContext, psFinalize>;
using Group = Owned<psGroup, psGroupFree>;
using Work = Owned<psWork, psWorkFree>;

// One call of the library for a part of a row.
struct Call {
  psGroup group;
  const Part& part;
  psReduceOp reduction;
  const void* send;
  void* recv;
  psWork* work;

  size_t sent() const { return part.sent.empty() ? 0 : part.sent[0]; }
  size_t received() const { return part.received.empty() ? 0 : part.received[0]; }
};

using Operation = psResult (*)(const Call&);

const std::map<std::string, Operation> kOperations = {
    {"all_reduce",
     [](const Call& c) {
       return psAllReduce(c.group, c.send, c.recv, c.sent(), c.part.dtype, c.reduction, nullptr, c.work);
     }},
    {"reduce",
     [](const Call& c) {
       return psReduce(c.group, c.send, c.recv, c.sent(), c.part.dtype, c.reduction, c.part.root, nullptr, c.work);
     }},
    {"broadcast",
     [](const Call& c) {
       return psBroadcast(c.group, c.send, c.recv, c.received(), c.part.dtype, c.part.root, nullptr, c.work);
     }},
    {"all_gather",
     [](const Call& c) { return psAllGather(c.group, c.send, c.recv, c.sent(), c.part.dtype, nullptr, c.work); }},
    {"gather",
     [](const Call& c) {
       return psGather(c.group, c.send, c.recv, c.sent(), c.part.dtype, c.part.root, nullptr, c.work);
     }},
    {"scatter",
     [](const Call& c) {
       return psScatter(c.group, c.send, c.recv, c.received(), c.part.dtype, c.part.root, nullptr, c.work);
     }},
    {"reduce_scatter",
     [](const Call& c) {
       return psReduceScatter(c.group, c.send, c.recv, c.received(), c.part.dtype, c.reduction, nullptr, c.work);
     }},
    {"all_to_all",
     [](const Call& c) { return psAllToAll(c.group, c.send, c.recv, c.sent(), c.part.dtype, nullptr, c.work); }},
    {"all_gather_v",
     [](const Call& c) {
       return psAllGatherV(c.group, c.send, c.sent(), c.recv, c.part.received.data(), nullptr, c.part.dtype, nullptr,
                           c.work);
     }},
    {"gather_v",
     [](const Call& c) {
       return psGatherV(c.group, c.send, c.sent(), c.recv, c.part.received.empty() ? nullptr : c.part.received.data(),
                        nullptr, c.part.dtype, c.part.root, nullptr, c.work);
     }},
    {"scatter_v",
     [](const Call& c) {
       return psScatterV(c.group, c.send, c.part.sent.empty() ? nullptr : c.part.sent.data(), nullptr, c.recv,
                         c.received(), c.part.dtype, c.part.root, nullptr, c.work);
     }},
    {"reduce_scatter_v",
     [](const Call& c) {
       return psReduceScatterV(c.group, c.send, c.recv, c.part.sent.data(), c.part.dtype, c.reduction, nullptr, c.work);
     }},
    {"all_to_all_v",
     [](const Call& c) {
       return psAllToAllV(c.group, c.send, c.part.sent.data(), nullptr, c.recv, c.part.received.data(), nullptr,
                          c.part.dtype, nullptr, c.work);
     }},
    {"send_recv",
     [](const Call& c) {
       return psSendRecv(c.group, c.send, c.sent(), PS_NEXT, c.recv, c.received(), PS_PREV, c.part.dtype, kTag, nullptr,
                         c.work);
     }},
    {"barrier", [](const Call& c) { return psBarrier(c.group, c.work); }},
};

// The buffers of one round. In place, the smaller of the two lies within the larger, as the header says where.
class Buffers {
 public:
  Buffers(const Part& part, bool in_place)
      : send_(part.input), recv_(total(part.received) * part.element + kGuard, kUntouched) {
    send = send_.data();
    recv = recv_.data();
    if (!in_place) return;
    const std::string& operation = part.operation;
    if (operation == "all_reduce" || operation == "all_to_all" ||
        ((operation == "reduce" || operation == "broadcast") && part.rank == part.root) ||
        (operation == "all_to_all_v" && part.sent == part.received)) {
      std::copy(send_.begin(), send_.end(), recv);
      send = recv;
    } else if (operation.starts_with("all_gather") || (operation.starts_with("gather") && part.rank == part.root)) {
      unsigned char* own = recv + own_block(part, part.received);
      std::copy(send_.begin(), send_.end(), own);
      send = own;
    } else if (operation.starts_with("reduce_scatter") ||
               (operation.starts_with("scatter") && part.rank == part.root)) {
      recv = send_.data() + own_block(part, part.sent);
      within_send_ = true;
    }
  }

  void expect(const Part& part, const Bytes& expected) const {
    for (size_t i = 0; i < expected.size(); ++i) {
      if (recv[i] != expected[i]) {
        throw Failure("byte " + std::to_string(i % part.element) + " of output element " +
                      std::to_string(i / part.element) + " is " + std::to_string(recv[i]) + ", expected " +
                      std::to_string(expected[i]));
      }
    }
    if (send == send_.data() && !within_send_ && send_ != part.input) throw Failure("the input was written to");
    for (size_t i = recv_.size() - kGuard; i < recv_.size(); ++i) {
      if (recv_[i] != kUntouched) throw Failure("memory behind the output was written to");
    }
  }

  unsigned char* send;
  unsigned char* recv;

 private:
  static size_t own_block(const Part& part, const std::vector<size_t>& blocks) {
    return total({blocks.begin(), blocks.begin() + part.rank}) * part.element;
  }

  Bytes send_;
  Bytes recv_;
  bool within_send_ = false;
};

psReduceOp make_premultiplied(psGroup group, const Part& part) {
  const auto single = static_cast<float>(*part.scalar);
  psReduceOp made = 0;
  const void* scalar = part.dtype == PS_FLOAT64 ? static_cast<const void*>(&*part.scalar) : &single;
  check(psReduceOpCreate(group, PS_PREMUL_SUM, part.dtype, scalar, &made), "psReduceOpCreate");
  return made;
}

void run_round(psGroup group, const Part& part, bool asynchronous, bool in_place) {
  Buffers buffers(part, in_place);
  const psReduceOp reduction = part.scalar ? make_premultiplied(group, part) : part.reduction;
  psResult result;
  {
    Work work;
    result = kOperations.at(part.operation)(
        {group, part, reduction, buffers.send, buffers.recv, asynchronous ? work.out() : nullptr});
    if (part.scalar) check(psReduceOpFree(group, reduction), "psReduceOpFree");
    if (result == PS_OK && asynchronous) result = psWorkWait(work, -1);
  }
  if (result != part.result) {
    throw Failure(std::string(psResultName(result)) + " instead of " + psResultName(part.result) +
                  (result < 0 ? std::string(": ") + psLastError() : ""));
  }
  const Bytes untouched(total(part.received) * part.element, kUntouched);
  buffers.expect(part, result == PS_OK ? part.expected : untouched);
}

void run_row(psContext context, const Row& row, int32_t rank) {
  const Part part = part_of(row, rank);
  std::vector<int32_t> members;
  for (int32_t member = 0; member < row.ranks; ++member) members.push_back(member);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.name = row.name.c_str();
  Group group;
  check(psNewGroup(context, members.data(), members.size(), &options, group.out()), "psNewGroup");
  run_round(group, part, false, false);
  if (part.result != PS_OK) return;
  run_round(group, part, true, false);
  run_round(group, part, false, true);
}

// The rows that were as the table says, of those that this rank takes part in.
bool run_rank(const std::vector<Row>& rows, psConfig config) {
  Context context;
  psWorldInfo info = PS_WORLD_INFO_INIT;
  config.flags |= PS_HOST_ONLY;
  config.timeout_ms = 60000;
  config.init_timeout_ms = 60000;
  check(psInit(&config, context.out()), "psInit");
  check(psGetWorldInfo(context, &info), "psGetWorldInfo");
  if (info.world_size != kRanks) throw Failure("the table needs four ranks; try psctl run -n 4");
  int ok = 0;
  int wrong = 0;
  for (const Row& row : rows) {
    if (info.rank >= row.ranks) continue;
    try {
      run_row(context, row, info.rank);
      ++ok;
    } catch (const std::exception& error) {
      std::printf("rank %d: row %s: %s\n", info.rank, row.name.c_str(), error.what());
      ++wrong;
    }
  }
  std::printf("rank %d: %d rows ok\n", info.rank, ok);
  return wrong == 0;
}

bool run_rank_or_say(const std::vector<Row>& rows, const psConfig& config) {
  try {
    return run_rank(rows, config);
  } catch (const std::exception& error) {
    std::printf("%s\n", error.what());
    return false;
  }
}

bool run_threads(const std::vector<Row>& rows) {
  bool ok[kRanks] = {};
  std::vector<std::thread> threads;
  for (int32_t rank = 0; rank < kRanks; ++rank) {
    threads.emplace_back([&rows, &ok, rank] {
      psConfig config = PS_CONFIG_INIT;
      config.flags = PS_NO_ENVIRONMENT;
      config.rank = rank;
      config.world_size = kRanks;
      config.rendezvous = "mem://conformance";
      ok[rank] = run_rank_or_say(rows, config);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return ok[0] && ok[1] && ok[2] && ok[3];
}

}  // namespace
}  // namespace conformance

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s table.txt\n", arguments[0]);
    return 2;
  }
  try {
    const auto rows = conformance::read_table(arguments[1]);
    if (std::getenv("PS_RANK") == nullptr) return conformance::run_threads(rows) ? 0 : 1;
    return conformance::run_rank_or_say(rows, PS_CONFIG_INIT) ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
