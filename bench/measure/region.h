// Memory that the processes of one measurement share: where they meet, the line whose latency is probed, and the times
// of every rank. It depends on no communication library, so that each library is measured by the same means.
//
// Processes come to it in one of three ways, all on one host:
//   - Region::create() before fork(): children inherit the mapping;
//   - Region::create() and path(): other processes of the same user open that path while the creator lives;
//   - Region::join(path, rank, ranks): every rank (of an MPI program, say) names one fresh path, such as
//     /dev/shm/bench-1234. Rank 0 makes the file, the others wait for it, and it is removed when all have come.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace measure {

constexpr size_t kLine = 128;  // two cache lines: neighbours are prefetched in pairs
constexpr int64_t kPatienceNs = 300'000'000'000;  // after which a process that waits for another gives up

struct alignas(kLine) Padded {
  std::atomic<uint64_t> value;
};

// What stands at the start of the memory. New memory is zero, which is a valid start for all of it but the first line.
struct RegionHead {
  alignas(kLine) std::atomic<uint32_t> ready;
  uint32_t ranks;
  uint32_t most_iterations;
  std::atomic<uint32_t> joined;
  alignas(kLine) std::atomic<uint32_t> aborted;
  char reason[508];
  alignas(kLine) std::atomic<uint32_t> resting;  // how many sleep in Meeting::rest
  std::atomic<uint32_t> rests;                   // how often all have come there
  Padded flipped;                                // the line between ranks 0 and 1
  Padded told;                                   // rank 0's word to all
};

// Start and end of one iteration on one rank.
struct Span {
  int64_t start_ns;
  int64_t end_ns;
};

class Region {
 public:
  static Region create(int ranks, int most_iterations = 2000);
  static Region open(const std::string& path);
  static Region join(const std::string& path, int rank, int ranks, int most_iterations = 2000);

  Region(Region&& other) noexcept;
  Region(const Region&) = delete;
  ~Region();

  int ranks() const { return static_cast<int>(head_->ranks); }
  int most_iterations() const { return static_cast<int>(head_->most_iterations); }
  // By which other processes of this user open it while this one lives.
  std::string path() const;

  RegionHead& head() const { return *head_; }
  // How often a rank has come to Meeting::meet, and whether what it last verified was right.
  Padded& arrivals(int rank) const { return seats()[rank]; }
  Padded& verdict(int rank) const { return seats()[ranks() + rank]; }
  Span* spans(int rank) const;

 private:
  Region(int fd, size_t bytes);
  static std::optional<Region> open_if_made(const std::string& path);
  static Region made(int fd, int ranks, int most_iterations);
  Padded* seats() const { return reinterpret_cast<Padded*>(head_ + 1); }

  int fd_ = -1;
  size_t bytes_ = 0;
  RegionHead* head_ = nullptr;
};

}  // namespace measure
