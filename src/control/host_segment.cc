#include "control/host_segment.h"

#include <cstring>

#include "base/pages.h"

namespace ps {
namespace {

constexpr size_t kHeader = 128;

size_t roster_offset(const Roster& roster) {
  return kHeader + static_cast<size_t>(roster.local_size()) * sizeof(RankLines) +
         static_cast<size_t>(roster.size()) * (sizeof(Standing) + sizeof(std::atomic<int32_t>));
}

}  // namespace

size_t HostSegment::bytes(std::string_view roster, bool with_sample) {
  const size_t records = roster_offset(Roster(roster)) + roster.size();
  return with_sample ? round_up(records, alignof(CopySample)) + sizeof(CopySample) : records;
}

HostSegment::HostSegment(std::shared_ptr<SharedMemory> memory, std::string_view roster, int local_index)
    : memory_(std::move(memory)),
      local_size_(Roster(roster).local_size()),
      world_size_(Roster(roster).size()),
      local_index_(local_index) {
  std::byte* base = memory_->data();
  death_count_ = reinterpret_cast<std::atomic<uint32_t>*>(base);
  lines_ = reinterpret_cast<RankLines*>(base + kHeader);
  standings_ = reinterpret_cast<Standing*>(lines_ + local_size_);
  deaths_ = reinterpret_cast<std::atomic<int32_t>*>(standings_ + world_size_);
  roster_ = Roster(base + roster_offset(Roster(roster)));
  if (memory_->size() == bytes(roster, true)) {
    sample_ = reinterpret_cast<CopySample*>(base + memory_->size() - sizeof(CopySample));
  }
}

void HostSegment::write_roster(std::string_view roster) {
  std::memcpy(memory_->data() + roster_offset(Roster(roster)), roster.data(), roster.size());
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
