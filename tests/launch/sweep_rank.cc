// One rank of a world that spans hosts, as its environment says: a part of the sweep, every operation that moves data,
// in types that are combined host by host and in one that goes from member to member. Afterwards nobody may be taken for
// dead. The last line on stdout is "swept N cases"; an error goes to stderr, and the exit status is 1.
//
// usage: sweep_rank LARGEST_BYTES
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "../multiproc/run_case.h"
#include "../multiproc/world.h"

namespace ps_test {
namespace {

// These in all types, which take each way between hosts and messages; the others in one type of each size.
constexpr Operation kInAllTypes[] = {Operation::kAllReduce,   Operation::kAllGather, Operation::kAllToAll,
                                     Operation::kSendAndRecv, Operation::kSendRecv,  Operation::kBatch};
constexpr int kTypes = 3;
constexpr psDataType kType[kTypes] = {PS_FLOAT32, PS_INT32, PS_BFLOAT16};
constexpr size_t kBytes[] = {8, 1000, 64 << 10, 1 << 20};

std::vector<Case> cases(size_t largest, int size) {
  std::vector<Case> all;
  int turn = 0;
  for (const size_t bytes : kBytes) {
    if (bytes > largest) break;
    for (int i = 0; i < kOperations; ++i, ++turn) {
      const auto operation = static_cast<Operation>(i);
      if (operation == Operation::kBarrier) continue;
      const bool in_all = std::ranges::find(kInAllTypes, operation) != std::end(kInAllTypes);
      for (int type = 0; type < (in_all ? kTypes : 1); ++type) {
        const psDataType dtype = kType[(turn + type) % kTypes];
        Case c;
        c.operation = operation;
        c.dtype = dtype;
        c.count = bytes / size_of(dtype);
        c.seed = static_cast<uint32_t>(all.size() + 1);
        c.root = has_root(operation) ? turn % size : 0;
        c.gaps = has_offsets(operation) && c.seed % 2 == 0;
        // Sums of float32 that are combined host by host are rounded otherwise than those of a fold in rank order.
        if (reduces(operation)) c.op = dtype == PS_FLOAT32 ? PS_MAX : PS_SUM;
        c.in_place = operation < Operation::kSendAndRecv && c.seed % 3 == 0;
        c.asynchronous = bytes % 16 == 0 && c.seed % 4 > 1;
        all.push_back(c);
      }
    }
  }
  return all;
}

void require_all_alive(psContext context, psGroup group, int size) {
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(group, &info));
  require(info.failure == PS_OK, "the group has failed");
  for (int rank = 0; rank < size; ++rank) {
    psRankInfo other = PS_RANK_INFO_INIT;
    require_ok(psGetRankInfo(context, rank, &other));
    require(other.state != PS_RANK_DEAD, "rank " + std::to_string(rank) + " is taken for dead");
  }
}

void run(size_t largest) {
  psContext context = nullptr;
  psGroup world = nullptr;
  require_ok(psInit(nullptr, &context));
  require_ok(psGetGroup(context, "world", &world));
  psGroupInfo info = PS_GROUP_INFO_INIT;
  require_ok(psGetGroupInfo(world, &info));
  require(info.host_count > 1, "the ranks are not on several hosts");
  const std::vector<Case> chosen = cases(largest, info.size);
  {
    Sweep sweep(world, info.rank, info.size);
    sweep.run(chosen);
  }
  require_all_alive(context, world, info.size);
  require_ok(psBarrier(world, nullptr));
  require_ok(psGroupFree(world));
  require_ok(psFinalize(context));
  std::printf("swept %zu cases\n", chosen.size());
}

}  // namespace
}  // namespace ps_test

int main(int argc, char** argv) {
  try {
    ps_test::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 0);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "%s\n", failure.what());
    return 1;
  }
  return 0;
}
