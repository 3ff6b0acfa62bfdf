#include "control/copy_sample.h"

#include <sched.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "base/deadline.h"
#include "base/process_memory.h"

namespace ps {
namespace {

// What a core has written is in its own caches, where the same core would find it sooner than another does.
class AwayFrom {
 public:
  explicit AwayFrom(int cpu) {
    if (::sched_getaffinity(0, sizeof mask_, &mask_) != 0 || !CPU_ISSET(cpu, &mask_) || CPU_COUNT(&mask_) < 2) return;
    cpu_set_t others = mask_;
    CPU_CLR(cpu, &others);
    moved_ = ::sched_setaffinity(0, sizeof others, &others) == 0;
  }
  ~AwayFrom() {
    if (moved_) ::sched_setaffinity(0, sizeof mask_, &mask_);
  }
  AwayFrom(const AwayFrom&) = delete;

 private:
  cpu_set_t mask_;  // machines of more CPUs than it holds refuse it, and nothing is moved
  bool moved_ = false;
};

}  // namespace

void write_sample(CopySample& sample) {
  for (auto& part : sample.parts) part.fill(std::byte{1});
  sample.cpu.store(std::clamp(::sched_getcpu(), 0, CPU_SETSIZE - 1), std::memory_order_seq_cst);
  sample.address.store(address_of(&sample.parts), std::memory_order_seq_cst);
}

double kernel_slowness(const CopySample& sample, int32_t pid) {
  const auto copied = std::make_unique<std::byte[]>(CopySample::kPartBytes);  // zeroed, so its pages are there
  const uint64_t begin = sample.address.load(std::memory_order_seq_cst);
  const AwayFrom writer(sample.cpu.load(std::memory_order_seq_cst));
  // Faults of pages that this process has not touched yet count for neither.
  for (size_t part = 0; part < CopySample::kParts; ++part) {
    for (size_t at = 0; at < CopySample::kPartBytes; at += 4096) {
      const volatile std::byte touched = sample.parts[part][at];
      static_cast<void>(touched);
    }
  }
  std::array<int64_t, 2> fastest;
  fastest.fill(std::numeric_limits<int64_t>::max());
  for (size_t part = 0; part < CopySample::kParts; ++part) {
    const bool by_kernel = part % 2 != 0;
    const int64_t start = monotonic_ns();
    if (!by_kernel) {
      std::memcpy(copied.get(), sample.parts[part].data(), CopySample::kPartBytes);
    } else if (read_process(pid, copied.get(), begin + part * CopySample::kPartBytes, CopySample::kPartBytes) != 0) {
      return 0;
    }
    fastest[by_kernel] = std::min(fastest[by_kernel], monotonic_ns() - start);
  }
  return static_cast<double>(fastest[1]) / static_cast<double>(std::max<int64_t>(fastest[0], 1));
}

void forget_sample(CopySample& sample) { ::madvise(&sample.parts, sizeof sample.parts, MADV_REMOVE); }

}  // namespace ps
