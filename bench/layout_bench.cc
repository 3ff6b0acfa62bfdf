// What layouts cost as the world grows, through the C API: making one, answering for a single rank, listing the members
// of one group, describing the whole. Prints a table; peak memory is the process's, and the worlds ascend.
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "parallelstate.h"

namespace {

using Clock = std::chrono::steady_clock;

void check(psResult result) {
  if (result == PS_OK) return;
  std::fprintf(stderr, "layout_bench: %s: %s\n", psResultName(result), psLastError());
  std::exit(1);
}

// The fastest of several rounds, in microseconds: what the work costs without the others on the machine.
template <class Work>
double microseconds(int rounds, Work&& work) {
  double best = 1e18;
  for (int i = 0; i < rounds; ++i) {
    const auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  return best;
}

std::vector<std::string> names_of(psLayout layout) {
  psLayoutInfo info = PS_LAYOUT_INFO_INIT;
  check(psGetLayoutInfo(layout, &info));
  std::vector<std::string> names;
  for (size_t i = 0; i < info.name_count; ++i) {
    const char* name = nullptr;
    check(psLayoutName(layout, i, &name, nullptr));
    names.emplace_back(name);
  }
  return names;
}

// Of every name: how many groups, which one has the rank, its place there, the group's size and first members.
void ask_for_rank(psLayout layout, int32_t rank) {
  for (const std::string& name : names_of(layout)) {
    size_t groups = 0;
    check(psLayoutGroupCount(layout, name.c_str(), &groups));
    size_t index = 0;
    int32_t place = 0;
    const psResult found = psLayoutFind(layout, name.c_str(), rank, &index, &place);
    if (found == PS_ERR_NOT_FOUND) continue;
    check(found);
    int32_t first[8];
    size_t size = 0;
    check(psLayoutGroupRanks(layout, name.c_str(), index, first, 8, &size));
  }
}

size_t describe(psLayout layout) {
  psBytes json = nullptr;
  check(psLayoutDescribe(layout, &json));
  const void* data = nullptr;
  size_t size = 0;
  check(psBytesAt(json, 0, &data, &size, nullptr));
  check(psBytesFree(json));
  return size;
}

void measure(const std::string& spec, int32_t world) {
  const double once = microseconds(20, [&] {
    psLayout layout = nullptr;
    check(psLayoutCreate(spec.c_str(), world, &layout));
    ask_for_rank(layout, world - 1);
    check(psLayoutFree(layout));
  });
  psLayout layout = nullptr;
  const double creation = microseconds(20, [&] {
    check(psLayoutFree(layout));
    check(psLayoutCreate(spec.c_str(), world, &layout));
  });
  const double rank = microseconds(20, [&] { ask_for_rank(layout, world - 1); });
  std::vector<int32_t> members(static_cast<size_t>(world));
  const double list = microseconds(5, [&] {
    size_t size = 0;
    check(psLayoutGroupRanks(layout, "dp_cp", 0, members.data(), members.size(), &size));
  });
  size_t bytes = 0;
  const double whole = microseconds(world <= 100'000 ? 3 : 1, [&] { bytes = describe(layout); });
  const size_t names = names_of(layout).size();
  check(psLayoutFree(layout));
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("%9d %6zu %11.1f %13.1f %17.1f %15.1f %14.1f %10.1f %12.1f\n", world, names, creation, rank, once, list,
              whole / 1e3, static_cast<double>(bytes) / (1 << 20), static_cast<double>(usage.ru_maxrss) / 1024);
}

}  // namespace

int main() {
  const std::string spec = "megatron:tp=5,pp=5,cp=2,ep=4,etp=5,distopt=2,hcp=2,vpp=2";
  std::printf("%s\n%9s %6s %11s %13s %17s %15s %14s %10s %12s\n", spec.c_str(), "world", "names", "create (us)",
              "one rank (us)", "both at once (us)", "list dp_cp (us)", "describe (ms)", "JSON (MiB)", "peak (MiB)");
  for (const int32_t world : {1'000, 10'000, 100'000, 1'000'000}) measure(spec, world);
  return 0;
}
