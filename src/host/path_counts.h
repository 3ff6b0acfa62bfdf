// How the operations of a communicator went, counted as this rank saw them: the dispatch table says what shall run, and not
// whether buffers could be used where they are, or what a message of some size comes to. psDescribe shows it.
//
// A collective counts once its way is settled, a message where it is sent.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "host/dispatch.h"
#include "host/signature.h"

namespace ps {

// The dispatch table's algorithms, and after them what it does not choose.
enum class Path {
  kOneShot,
  kTree,
  kTwoShot,
  kPipeline,
  kSingleCopy,
  kStaged,
  kStriped,
  kFlat,
  kDirect,  // all that this rank gave or took lies in memory that all members have mapped, and was used there
  kCopy,    // of a rank to itself
  kEager,   // a message whole with its beginning
  kPieces,  // a message through the ring, or over the network, in pieces
  kLent,    // a message that both sides move from buffer to buffer
};
inline constexpr size_t kPaths = static_cast<size_t>(Path::kLent) + 1;

constexpr Path path_of(Algorithm algorithm) { return static_cast<Path>(algorithm); }
static_assert(path_of(Algorithm::kOneShot) == Path::kOneShot && path_of(Algorithm::kFlat) == Path::kFlat);

const char* path_name(Path path);

class PathCounts {
 public:
  // By whoever steps the operations of that kind, one at a time.
  void add(Kind kind, Path path) {
    auto& count = counts_[static_cast<size_t>(kind)][static_cast<size_t>(path)];
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  // Any thread.
  uint64_t of(Kind kind, Path path) const {
    return counts_[static_cast<size_t>(kind)][static_cast<size_t>(path)].load(std::memory_order_relaxed);
  }

 private:
  std::array<std::array<std::atomic<uint64_t>, kPaths>, static_cast<size_t>(Kind::kSend) + 1> counts_{};
};

}  // namespace ps
