// More elements than 31 bits count.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "world.h"

namespace ps_test {
namespace {

constexpr size_t kCount = (size_t{1} << 31) + 12'345;

// Memory straight from the kernel: zero, and given back at once.
class Memory {
 public:
  Memory() : data_(::mmap(nullptr, kCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    require(data_ != MAP_FAILED, "no memory");
  }
  ~Memory() { ::munmap(data_, kCount); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  uint8_t* data() const { return static_cast<uint8_t*>(data_); }

  // Repetitions of an odd length, so that no misplaced piece looks right.
  void fill(int factor) {
    each(factor,
         [](uint8_t* at, const std::vector<uint8_t>& chunk, size_t bytes) { std::memcpy(at, chunk.data(), bytes); });
  }
  void check(int factor) {
    each(factor, [&](uint8_t* at, const std::vector<uint8_t>& chunk, size_t bytes) {
      require(std::memcmp(at, chunk.data(), bytes) == 0, "wrong data after element " + std::to_string(at - data()));
    });
  }

 private:
  template <class Use>
  void each(int factor, Use&& use) {
    std::vector<uint8_t> chunk(1'000'003);
    for (size_t i = 0; i < chunk.size(); ++i)
      chunk[i] = static_cast<uint8_t>(static_cast<size_t>(factor) * (i * 31 + i / 251));
    for (size_t at = 0; at < kCount; at += chunk.size()) use(data() + at, chunk, std::min(chunk.size(), kCount - at));
  }

  void* data_;
};

const Body beyond_int("beyond_int", [](Member& member) {
  Memory memory;
  memory.fill(member.rank + 1);
  require_ok(psAllReduce(member.world, memory.data(), memory.data(), kCount, PS_INT8, PS_SUM, nullptr, nullptr));
  memory.check(3);
  if (member.rank == 1) memory.fill(7);
  require_ok(psBroadcast(member.world, memory.data(), memory.data(), kCount, PS_INT8, 1, nullptr, nullptr));
  memory.check(7);
  psWork work = nullptr;
  if (member.rank == 1) memory.fill(5);
  require_ok(member.rank == 1 ? psSend(member.world, memory.data(), kCount, PS_UINT8, 0, 0, nullptr, &work)
                              : psRecv(member.world, memory.data(), kCount, PS_UINT8, 1, 0, nullptr, &work));
  require_ok(psWorkWait(work, -1));
  require_ok(psWorkFree(work));
  memory.check(5);
});

TEST(BeyondInt, AllReduceBroadcastAndAMessage) { run_world(beyond_int, Ranks::kProcesses, 2); }

}  // namespace
}  // namespace ps_test
