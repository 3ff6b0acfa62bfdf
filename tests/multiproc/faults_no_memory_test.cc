// A process that runs out of memory while operations wait: each allocation of a wait in turn finds none. The wait ends with
// an error, in the caller's thread and in the library's, and neither the process nor its other groups come to harm.
#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "faults_rank.h"
#include "faults_world.h"

// A sanitizer has its own allocator.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

namespace {

// Which thread's allocations are refused, and how many it is still given; -1: nobody's are.
std::atomic<bool> refuse_library{false};
std::atomic<int> given{-1};
thread_local bool is_caller = false;

bool is_library_thread() {
  static thread_local const bool found = [] {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    return std::string_view(name) == "ps-progress";
  }();
  return found;
}

// Once refused, all are until the test ends it: who is out of memory stays so for a while.
bool is_refused() {
  if (given.load() < 0) return false;
  if (refuse_library.load() ? !is_library_thread() : !is_caller) return false;
  if (given.load() == 0) return true;
  given.fetch_sub(1);
  return false;
}

}  // namespace

[[gnu::noinline]] void* operator new(size_t size) {
  void* const memory = is_refused() ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace faults {
namespace {

// Rank 0 calls what rank 1 never does, again and again, each time with one more allocation until there are no more.
const RankProgram kStarved("starved", [](const Rank& self) {
  const bool is_blocking = self.argument(0) == "blocking";
  psContext context = self.join();
  const psGroup world = self.world(context);
  const int32_t all[] = {0, 1};
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  // The library's thread is there before its allocations are refused.
  psWork first = nullptr;
  ok(psBarrier(world, &first));
  ok(psWorkWait(first, -1));
  ok(psWorkFree(first));
  int without_memory = 0;
  int32_t go_on = 1;
  for (int allocations = 0; go_on == 1; ++allocations) {
    psGroup group = nullptr;
    ok(psNewGroup(context, all, 2, &options, &group));
    ok(psGroupSetTimeout(group, 5));
    if (self.rank == 0) {
      psWork work = nullptr;
      int32_t value = 1;
      is_caller = is_blocking;
      refuse_library.store(!is_blocking);
      given.store(allocations);
      psResult result = PS_OK;
      if (is_blocking) {
        result = allocations % 2 == 0 ? psBarrier(group, nullptr) : psRecv(group, &value, 1, PS_INT32, 1, 7, nullptr, nullptr);
      } else {
        ok(psAllReduce(group, &value, &value, 1, PS_INT32, PS_SUM, nullptr, &work));
        psGroupInfo info = PS_GROUP_INFO_INIT;
        for (; info.failure == PS_OK; ok(psGetGroupInfo(group, &info))) ::usleep(200);  // any call on it would step it
        result = info.failure;
      }
      const int left = given.exchange(-1);
      is_caller = false;
      if (work != nullptr) must(psWorkWait(work, -1) != PS_OK, "the work has succeeded");
      ok(psWorkFree(work));
      must(result == PS_ERR_TIMEOUT || result == PS_ERR_NO_MEMORY, psResultName(result));
      without_memory += result == PS_ERR_NO_MEMORY ? 1 : 0;
      go_on = left > 0 && allocations > 1 ? 0 : 1;
    }
    ok(psBroadcast(world, &go_on, &go_on, 1, PS_INT32, 0, nullptr, nullptr));
    ok(psGroupFree(group));
  }
  if (self.rank == 0) self.say("without_memory", {std::to_string(without_memory)});
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

TEST(NoMemory, EndsAWaitWithAnError) {
  for (const std::string way : {"blocking", "library"}) {
    SCOPED_TRACE(way);
    World world("starved", 2, {way});
    EXPECT_GT(std::stoi(world.hear(0, "without_memory").words.at(0)), 3);
    world.end();
  }
}

}  // namespace
}  // namespace faults

#endif
