#include "control/host_segment.h"

namespace ps {
namespace {

constexpr size_t kHeader = 128;

}  // namespace

size_t HostSegment::bytes(int local_size) {
  const auto count = static_cast<size_t>(local_size);
  return kHeader + count * sizeof(RankLines) + count * sizeof(std::atomic<int32_t>);
}

HostSegment::HostSegment(std::shared_ptr<SharedMemory> memory, int local_size, int local_index)
    : memory_(std::move(memory)), local_size_(local_size), local_index_(local_index) {
  std::byte* base = memory_->data();
  death_count_ = reinterpret_cast<std::atomic<uint32_t>*>(base);
  lines_ = reinterpret_cast<RankLines*>(base + kHeader);
  deaths_ = reinterpret_cast<std::atomic<int32_t>*>(base + kHeader + static_cast<size_t>(local_size) * sizeof(RankLines));
}

bool HostSegment::log_death(int index) const {
  for (int i = 0; i < local_size_; ++i) {
    int32_t expected = 0;
    if (deaths_[i].compare_exchange_strong(expected, index + 1, std::memory_order_seq_cst)) break;
    if (expected == index + 1) return false;
  }
  death_count_->fetch_add(1, std::memory_order_seq_cst);
  futex_wake_all(*death_count_);
  return true;
}

}  // namespace ps
