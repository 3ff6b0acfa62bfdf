#include "control/host_segment.h"

namespace ps {
namespace {

constexpr size_t kHeader = 128;

}  // namespace

size_t HostSegment::bytes(int local_size, int32_t world_size, bool with_sample) {
  const size_t records = kHeader + static_cast<size_t>(local_size) * sizeof(RankLines) +
                         static_cast<size_t>(world_size) * (sizeof(Standing) + sizeof(std::atomic<int32_t>));
  if (!with_sample) return records;
  return (records + alignof(CopySample) - 1) / alignof(CopySample) * alignof(CopySample) + sizeof(CopySample);
}

HostSegment::HostSegment(std::shared_ptr<SharedMemory> memory, std::vector<int32_t> local_ranks, int32_t world_size,
                         int local_index)
    : memory_(std::move(memory)), local_ranks_(std::move(local_ranks)), world_size_(world_size), local_index_(local_index) {
  std::byte* base = memory_->data();
  death_count_ = reinterpret_cast<std::atomic<uint32_t>*>(base);
  lines_ = reinterpret_cast<RankLines*>(base + kHeader);
  standings_ = reinterpret_cast<Standing*>(base + kHeader + local_ranks_.size() * sizeof(RankLines));
  deaths_ = reinterpret_cast<std::atomic<int32_t>*>(standings_ + world_size_);
  if (memory_->size() == bytes(local_size(), world_size_, true)) {
    sample_ = reinterpret_cast<CopySample*>(base + memory_->size() - sizeof(CopySample));
  }
}

bool HostSegment::log_death(int32_t rank, Loss loss) const {
  // Apart from the log's entry, and first: a process may end between the two, and another then completes them.
  Loss none = Loss::kNone;
  standings_[rank].loss.compare_exchange_strong(none, loss, std::memory_order_seq_cst);
  for (int32_t i = 0; i < world_size_; ++i) {
    int32_t expected = 0;
    if (deaths_[i].compare_exchange_strong(expected, rank + 1, std::memory_order_seq_cst)) break;
    if (expected == rank + 1) return false;
  }
  death_count_->fetch_add(1, std::memory_order_seq_cst);
  futex_wake_all(*death_count_);
  return true;
}

}  // namespace ps
