// Whether it is worth having the kernel move large data between the processes of this host, found out when a world forms.
//
// The kernel does it in one copy, page by page; through shared memory it takes two, of which the second fetches what
// another core has just written. How fast that is differs between processors far more than the kernel does: where a core
// takes 60 us for a MiB of another's lines, one copy by the kernel wins; where it takes 13, it loses by a factor of two.
// So the first rank of a host writes a sample, and the second reads parts of it either way.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ps {

// In memory that both share.
struct CopySample {
  static constexpr size_t kPartBytes = 16 << 10;
  // One after the other by memcpy and by the kernel, the fastest of each counts.
  static constexpr size_t kParts = 16;

  alignas(128) std::atomic<uint64_t> address{0};  // of `parts` in the memory of who wrote them
  std::atomic<int> cpu{0};                        // on which that was
  alignas(4096) std::array<std::array<std::byte, kPartBytes>, kParts> parts;
};

void write_sample(CopySample& sample);

// How many times as long the kernel takes to read what the process `pid` has written as memcpy does; 0 where it may not
// read it. The calling thread measures on another CPU than that one was on, if it may.
double kernel_slowness(const CopySample& sample, int32_t pid);
// Two sides share the one copy by the kernel, and the two through shared memory overlap but for their ends. (1.6 on an Intel
// Xeon where the kernel's copies take 0.65 to 0.95 of the time, 3.3 to 12 on an AMD Zen 5 where they take 1.3 to 2.8.)
constexpr double kMostSlowness = 2.5;

// Gives its pages back.
void forget_sample(CopySample& sample);

}  // namespace ps
