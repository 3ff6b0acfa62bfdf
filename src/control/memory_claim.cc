#include "control/memory_claim.h"

#include <sched.h>

#include "base/deadline.h"
#include "base/error.h"
#include "control/memory_room.h"

namespace ps {
namespace {

// How long others may need for what they have begun to take, of which a part counts as used already.
constexpr int64_t kOthersMs = 100;

}  // namespace

MemoryClaim::MemoryClaim(const HostSegment& host, size_t bytes, const std::string& what) : host_(host), bytes_(bytes) {
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
  const Deadline others = Deadline::in_ms(kOthersMs);
  for (;;) {
    const size_t all = claimed();
    const bool is_alone = all <= bytes_;
    try {
      return require_memory(all, is_alone ? what : what + ", with what other ranks of this host take at this moment,");
    } catch (const Error& error) {
      if (is_alone || others.passed() || error.code() != PS_ERR_NO_MEMORY) throw;
    }
    ::sched_yield();
  }
}

size_t MemoryClaim::claimed() const {
  size_t all = 0;
  for (int i = 0; i < host_.local_size(); ++i) {
    const RankLines& rank = host_.lines(i);
    const bool is_dead = (rank.life.word.load(std::memory_order_relaxed) & FUTEX_OWNER_DIED) != 0;
    if (!is_dead) all += rank.claims.bytes.load(std::memory_order_seq_cst);
  }
  return all;
}

}  // namespace ps
