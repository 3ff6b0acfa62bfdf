#include "control/memory_claim.h"

#include <time.h>

#include <algorithm>
#include <cstdint>

#include "base/deadline.h"
#include "base/error.h"
#include "control/memory_room.h"

namespace ps {
namespace {

// How long others may need for the next of what they have begun to take, of which a part counts as used already.
constexpr int64_t kOthersMs = 100;
constexpr timespec kPause{0, 1'000'000};

}  // namespace

MemoryClaim::MemoryClaim(const HostSegment& host, size_t bytes, const std::string& what)
    : host_(host), bytes_(bytes), group_(memory_group()) {
  host_.own().claims.group.store(group_, std::memory_order_seq_cst);
  // First the claim, then the look: of two that come at once, at least one sees both.
  host_.own().claims.bytes.fetch_add(bytes_, std::memory_order_seq_cst);
  try {
    check(what);
  } catch (...) {
    host_.own().claims.bytes.fetch_sub(bytes_, std::memory_order_seq_cst);
    throw;
  }
}

MemoryClaim::~MemoryClaim() { host_.own().claims.bytes.fetch_sub(bytes_, std::memory_order_seq_cst); }

void MemoryClaim::check(const std::string& what) const {
  Deadline others = Deadline::in_ms(kOthersMs);
  for (size_t least = SIZE_MAX;;) {
    const Claimed all = claimed();
    const bool is_alone = all.on_host <= bytes_;
    try {
      return require_memory(all.in_group, all.on_host,
                            is_alone ? what : what + ", with what other ranks of this host take at this moment,");
    } catch (const Error& error) {
      if (is_alone || others.passed() || error.code() != PS_ERR_NO_MEMORY) throw;
    }
    if (all.on_host < least) others = Deadline::in_ms(kOthersMs);
    least = std::min(least, all.on_host);
    ::nanosleep(&kPause, nullptr);
  }
}

MemoryClaim::Claimed MemoryClaim::claimed() const {
  Claimed all{};
  for (int i = 0; i < host_.local_size(); ++i) {
    const RankLines& rank = host_.lines(i);
    const bool is_dead = (rank.life.word.load(std::memory_order_relaxed) & FUTEX_OWNER_DIED) != 0;
    if (is_dead) continue;
    const size_t bytes = rank.claims.bytes.load(std::memory_order_seq_cst);
    all.on_host += bytes;
    if (rank.claims.group.load(std::memory_order_seq_cst) == group_) all.in_group += bytes;
  }
  return all;
}

}  // namespace ps
