// Once an operation has failed its buffers are the caller's again: what was under way when it was aborted neither writes
// them nor reads them any more.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include "faults_rank.h"
#include "faults_world.h"

namespace faults {
namespace {

constexpr size_t kCount = 1 << 20;  // of int32_t: little enough that all of it is on its way when the first of it is there
constexpr int kTimes = 20;
constexpr int32_t kUntouched = -1;
// Looking at an output before its operation has ended is a race, which is meant here: it tells that data flows.
#if defined(__SANITIZE_THREAD__)
constexpr bool kMayPeek = false;
#else
constexpr bool kMayPeek = true;
#endif
constexpr int32_t kTaken = -7;

bool holds(const std::vector<int32_t>& data, int32_t value) {
  return std::all_of(data.begin(), data.end(), [value](int32_t each) { return each == value; });
}

// Rank 0 aborts as soon as something of the result is there, takes its buffers for something else, and looks at them when
// nothing can be under way any more. Ranks that complete nevertheless have the right result.
const RankProgram kTakenBack("taken_back", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  std::vector<std::vector<int32_t>> buffers;
  std::vector<psGroup> groups;
  std::vector<int32_t> members(static_cast<size_t>(self.size));
  std::iota(members.begin(), members.end(), 0);
  psGroupOptions options = PS_GROUP_OPTIONS_INIT;
  options.flags = PS_OWN_COMMUNICATOR;
  for (int time = 0; time < kTimes; ++time) {
    psGroup group = nullptr;
    ok(psNewGroup(context, members.data(), members.size(), &options, &group));
    groups.push_back(group);
    std::vector<int32_t> in(kCount, self.rank + 1);
    std::vector<int32_t> out(kCount, kUntouched);
    ok(psBarrier(group, nullptr));
    psWork work = nullptr;
    psResult result = psAllReduce(group, in.data(), out.data(), kCount, PS_INT32, PS_SUM, nullptr, &work);
    if (result == PS_OK) {
      while (kMayPeek && self.rank == 0 && psWorkTest(work) == PS_IN_PROGRESS &&
             std::atomic_ref(out[kCount / 2]).load() == kUntouched) {
        std::this_thread::yield();
      }
      if (self.rank == 0) ok(psGroupAbort(group, "enough"));
      result = psWorkWait(work, -1);
    }
    must(result == PS_OK || result == PS_ERR_ABORTED, std::string("the call ends with ") + psResultName(result));
    if (result == PS_OK) must(holds(out, self.size * (self.size + 1) / 2), "a call that succeeded has a wrong result");
    std::fill(out.begin(), out.end(), kTaken);
    std::fill(in.begin(), in.end(), kTaken);
    buffers.push_back(std::move(in));
    buffers.push_back(std::move(out));
    if (work != nullptr) ok(psWorkFree(work));
    ok(psBarrier(world, nullptr));
  }
  for (psGroup group : groups) ok(psGroupFree(group));
  ok(psGroupFree(world));
  ok(psFinalize(context));
  for (const auto& buffer : buffers) must(holds(buffer, kTaken), "a buffer was written after its operation had failed");
});

TEST(Buffers, AreTheCallersOnceAnOperationWasAborted) {
  World world("taken_back", 2);
  world.end();
}

TEST(Buffers, OfThreeRanksAreTheCallersOnceAnOperationWasAborted) {
  World world("taken_back", 3);
  world.end();
}

// Has this rank stand still where it first touches a page near `begin`: it says "touching", and goes on when it hears a
// line. Without Rank's means, as a signal handler may not allocate.
class StandStill {
 public:
  explicit StandStill(void* begin) {
    size_ = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    void* within = begin;
    size_t room = 2 * size_;
    page_ = std::align(size_, size_, within, room);
    struct sigaction action = {};
    action.sa_handler = [](int) {
      constexpr char kLine[] = "touching\n";
      if (::write(kReportDescriptor, kLine, sizeof kLine - 1) < 0) ::_exit(3);
      for (char c = 0; c != '\n';) {
        if (::read(STDIN_FILENO, &c, 1) != 1) ::_exit(3);
      }
      ::mprotect(page_, size_, PROT_READ | PROT_WRITE);
    };
    must(::sigaction(SIGSEGV, &action, &before_) == 0 && ::mprotect(page_, size_, PROT_NONE) == 0, "no page to stop at");
  }
  ~StandStill() { ::sigaction(SIGSEGV, &before_, nullptr); }

 private:
  static inline void* page_;
  static inline size_t size_;
  struct sigaction before_;
};

// Of a rank in whose memory another one stands still.
void abort_and_take_back(const Rank& self, psGroup world, psWork work) {
  self.hear("abort");
  ok(psGroupAbort(world, "enough"));
  must(psWorkTest(work) == PS_IN_PROGRESS, "does not wait for who touches its memory");
  self.say("aborted");
  must(psWorkWait(work, -1) == PS_ERR_ABORTED, "was not aborted");
  ok(psWorkFree(work));
}

// A rank that aborts has its memory back as soon as the other comes to the end of a part of what it writes there, not of
// all that it was to write.
const RankProgram kGivenBack("given_back", [](const Rank& self) {
  psContext context = self.join();
  const psGroup world = self.world(context);
  constexpr size_t kLent = 2 << 20;  // of int32_t; the first half is rank 0's share
  void* memory = nullptr;
  ok(psMemAlloc(world, 2 * kLent * sizeof(int32_t), PS_DEVICE_HOST, &memory));
  auto* const in = static_cast<int32_t*>(memory);
  int32_t* const out = in + kLent;
  std::fill_n(in, kLent, 1);
  ok(psBarrier(world, nullptr));
  if (self.rank == 0) {
    const StandStill stop(in);
    must(psAllReduce(world, in, out, kLent, PS_INT32, PS_SUM, nullptr, nullptr) == PS_ERR_ABORTED, "was not aborted");
  } else {
    psWork work = nullptr;
    ok(psAllReduce(world, in, out, kLent, PS_INT32, PS_SUM, nullptr, &work));
    abort_and_take_back(self, world, work);
    must(out[0] == 2, "the part that was begun is not there");
    must(out[kLent / 2 - 1] == 0, "was written long after it was aborted");
  }
  ok(psGroupFree(world));
  ok(psFinalize(context));
});

// As above, of a reader whose output its source writes a part of: rank 0's of a gather, rank 1's of a broadcast.
void give_back_output(const Rank& self, bool is_gather) {
  ::setenv("PS_CROSS_MEMORY", "0", 1);  // the kernel's copies have their own way
  psContext context = self.join();
  const psGroup world = self.world(context);
  constexpr size_t kLent = 2 << 20;  // of int32_t; the first half of it is the source's share
  void* memory = nullptr;
  ok(psMemAlloc(world, 3 * kLent * sizeof(int32_t), PS_DEVICE_HOST, &memory));
  auto* const block = static_cast<int32_t*>(memory);
  const int source = is_gather ? 1 : 0;
  int32_t* const output = is_gather ? block + kLent : block;
  const int32_t* const arriving = output + (is_gather ? kLent : 0);
  std::fill_n(block, kLent, self.rank == source ? 1 : 0);
  const auto call = [&](psWork* work) {
    return is_gather ? psGather(world, block, output, kLent, PS_INT32, 0, nullptr, work)
                     : psBroadcast(world, block, block, kLent, PS_INT32, 0, nullptr, work);
  };
  ok(psBarrier(world, nullptr));
  if (self.rank == source) {
    const StandStill stop(block);
    must(call(nullptr) == PS_ERR_ABORTED, "was not aborted");
  } else {
    psWork work = nullptr;
    ok(call(&work));
    abort_and_take_back(self, world, work);
    must(arriving[0] == 1, "the part that was begun is not there");
    must(arriving[kLent / 2 - 1] == 0, "was written long after it was aborted");
  }
  ok(psGroupFree(world));
  ok(psFinalize(context));
}

const RankProgram kBroadcastGivenBack("broadcast_given_back", [](const Rank& self) { give_back_output(self, false); });
const RankProgram kGatherGivenBack("gather_given_back", [](const Rank& self) { give_back_output(self, true); });

void abort_while_touching(const char* program, int toucher, int owner) {
  World world(program, 2);
  world.hear(toucher, "touching");
  world.tell(owner, "abort");
  world.hear(owner, "aborted");
  world.tell(toucher, "go on");
  world.end();
}

TEST(Buffers, OfAReaderAreGivenBackBeforeAPeerHasDoneItsShare) { abort_while_touching("broadcast_given_back", 0, 1); }
TEST(Buffers, OfARootAreGivenBackBeforeAPeerHasDoneItsShare) { abort_while_touching("gather_given_back", 1, 0); }
TEST(Buffers, AreGivenBackBeforeAPeerHasDoneItsShare) { abort_while_touching("given_back", 0, 1); }

}  // namespace
}  // namespace faults
