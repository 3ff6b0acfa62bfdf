// How long the groups of a layout take to make, over processes: run it under psctl run with as many ranks as the layout has.
//
//     psctl run -n 64 --quiet -- model_parallel_bench sglang:tp=8,pp=8 [rounds]
//
// Rank 0 prints the median over the rounds of the slowest rank's time, and the first use of every group after it.
#include <parallelstate.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

void check(psResult result) {
  if (result < 0) throw std::runtime_error(psLastError());
}

double ms_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double slowest(psGroup world, double own) {
  double result = 0;
  check(psAllReduce(world, &own, &result, 1, PS_FLOAT64, PS_MAX, nullptr, nullptr));
  return result;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// A sum in every group of the layout, which touches its memory for the first time.
double use_all(psContext context, psLayout layout, size_t names) {
  const Clock::time_point begin = Clock::now();
  for (size_t i = 0; i < names; ++i) {
    const char* name = nullptr;
    const char* alias = nullptr;
    check(psLayoutName(layout, i, &name, &alias));
    psGroup group = nullptr;
    const psResult found = psGetGroup(context, name, &group);
    if (found == PS_ERR_NOT_FOUND) continue;
    check(found);
    int64_t value = 1;
    check(psAllReduce(group, &value, &value, 1, PS_INT64, PS_SUM, nullptr, nullptr));
    check(psGroupFree(group));
  }
  return ms_since(begin);
}

void run(const char* spec, int rounds) {
  psContext context = nullptr;
  psGroup world = nullptr;
  psLayout layout = nullptr;
  psWorldInfo self = PS_WORLD_INFO_INIT;
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  check(psInit(nullptr, &context));
  check(psGetGroup(context, "world", &world));
  check(psGetWorldInfo(context, &self));
  check(psLayoutCreate(spec, self.world_size, &layout));
  check(psGetLayoutInfo(layout, &info));
  std::vector<double> making;
  std::vector<double> using_it;
  for (int round = 0; round < rounds; ++round) {
    check(psBarrier(world, nullptr));
    const Clock::time_point begin = Clock::now();
    check(psInitModelParallel(context, spec, nullptr));
    making.push_back(slowest(world, ms_since(begin)));
    using_it.push_back(slowest(world, use_all(context, layout, info.name_count)));
    check(psDestroyModelParallel(context));
  }
  if (self.rank == 0) {
    std::printf("%s, %d ranks, %zu names: made in %.1f ms, every group used once in %.1f ms (median of %d rounds, slowest rank)\n",
                info.spec, self.world_size, info.name_count, median(making), median(using_it), rounds);
  }
  check(psLayoutFree(layout));
  check(psGroupFree(world));
  check(psFinalize(context));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: model_parallel_bench SPEC [ROUNDS]\n");
    return 2;
  }
  try {
    run(argv[1], argc > 2 ? std::atoi(argv[2]) : 10);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
