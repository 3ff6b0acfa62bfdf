#include "control/guardian.h"

#include <cstddef>
#include <new>

#include "base/deadline.h"
#include "base/thread.h"
#include "control/waiting.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

namespace ps {
namespace {

// The kernel's struct futex_waitv, which older headers lack.
struct WaitEntry {
  uint64_t value;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};
constexpr uint32_t kWord32 = 2;
constexpr int kMostWatched = 16;
constexpr int kMostEntries = kMostWatched + 2;  // the kernel takes 128
constexpr int64_t kScanNs = 5'000'000;
constexpr int64_t kLateNs = 5 * kTickNs;
constexpr uint32_t kMostSilentMs = 1U << 30;  // 12 days

uint32_t in_ms(int64_t ns) { return static_cast<uint32_t>(ns / 1'000'000); }

WaitEntry entry(const std::atomic<uint32_t>& word, uint32_t value) {
  return {.value = value, .address = reinterpret_cast<uint64_t>(&word), .flags = kWord32, .reserved = 0};
}

}  // namespace

bool Guardian::has_futex_waitv() {
  static const bool present = [] {
    std::atomic<uint32_t> word{1};
    const WaitEntry entries[] = {entry(word, 0)};  // a different value: answers EAGAIN at once where it exists
    return ::syscall(SYS_futex_waitv, entries, 1, 0, nullptr, CLOCK_MONOTONIC) == -1 && errno == EAGAIN;
  }();
  return present;
}

Guardian::Guardian(std::shared_ptr<HostSegment> segment, const Logger& logger, std::function<void()> on_death,
                   bool use_waitv)
    : segment_(std::move(segment)),
      logger_(logger),
      on_death_(std::move(on_death)),
      use_waitv_(use_waitv),
      pulses_(static_cast<size_t>(segment_->local_size())) {
  thread_ = start_thread("ps-guardian", [this] { run(); });
  while (entered_.load() == 0) futex_wait(entered_, 0, kTickNs);
}

void Guardian::stop() {
  if (!thread_.joinable()) return;
  stop_.store(1);
  futex_wake_all(stop_);
  // Without futex_waitv the thread waits on the log's word.
  if (!use_waitv_) futex_wake_all(segment_->death_count());
  thread_.join();
}

int64_t Guardian::silent_ms(int local_index) const {
  const uint32_t changed = pulses_[static_cast<size_t>(local_index)].changed_ms.load();
  const int64_t scanned = scanned_ns_.load();
  if (scanned == 0) return 0;
  // A scan that is under way notes its own time last.
  return std::max(static_cast<int32_t>(in_ms(scanned) - changed), 0);
}

void Guardian::run() {
  enter();
  while (stop_.load() == 0) {
    segment_->own().heart.beats.fetch_add(1);
    try {
      scan();
    } catch (const std::bad_alloc&) {
      // Deaths are looked at again with the next scan.
    }
    wait_for_change();
  }
  leave();
}

void Guardian::enter() {
  RankLines::Life& life = segment_->own().life;
  robust_.futex_offset = static_cast<long>(offsetof(RankLines::Life, word)) - static_cast<long>(offsetof(RankLines::Life, link));
  robust_.list.next = &robust_.list;
  ::syscall(SYS_set_robust_list, &robust_, sizeof robust_);
  // `list_op_pending` covers the moment in which the word is ours but not yet on the list.
  robust_.list_op_pending = &life.link;
  life.pid.store(::getpid());
  life.word.store(static_cast<uint32_t>(::syscall(SYS_gettid)) | FUTEX_WAITERS);
  life.link.next = &robust_.list;
  robust_.list.next = &life.link;
  robust_.list_op_pending = nullptr;
  life.presence.store(Presence::kPresent);
  entered_.store(1);
  futex_wake_all(entered_);
}

void Guardian::leave() {
  RankLines::Life& life = segment_->own().life;
  robust_.list_op_pending = &life.link;
  robust_.list.next = &robust_.list;
  life.word.store(0);
  futex_wake_all(life.word);
  robust_.list_op_pending = nullptr;
}

void Guardian::scan() {
  const int64_t now = monotonic_ns();
  // Who was stopped or starved has heard nobody, and so had the others nothing to say if all of the host was.
  const bool is_late = now - scanned_ns_.load() >= kLateNs;
  for (int i = 0; i < segment_->local_size(); ++i) {
    RankLines& lines = segment_->lines(i);
    if ((lines.life.word.load() & FUTEX_OWNER_DIED) != 0 && segment_->log_death(segment_->rank_of(i), Loss::kEnded)) {
      logger_.info("process {} of this host ended without psFinalize", lines.life.pid.load());
    }
    Pulse& pulse = pulses_[static_cast<size_t>(i)];
    const uint32_t beats = lines.heart.beats.load();
    if (beats != pulse.beats.load() || is_late) {
      pulse.beats.store(beats);
      pulse.changed_ms.store(in_ms(now));
    } else if (in_ms(now) - pulse.changed_ms.load() > kMostSilentMs) {
      pulse.changed_ms.store(in_ms(now) - kMostSilentMs);
    }
  }
  scanned_ns_.store(now);
  const uint32_t deaths = segment_->death_count().load();
  if (deaths == seen_deaths_) return;
  on_death_();
  seen_deaths_ = deaths;
  segment_->own().doorbell.ring();
}

void Guardian::wait_for_change() {
  if (!use_waitv_) {
    futex_wait(segment_->death_count(), seen_deaths_, kScanNs);
    return;
  }
  WaitEntry entries[kMostEntries] = {entry(segment_->death_count(), seen_deaths_), entry(stop_, 0)};
  unsigned count = 2;
  const int size = segment_->local_size();
  // The next living peers in ring order; each word is watched by several guardians, so that a stopped one harms nothing,
  // and by few enough that a large world which ends is no storm of wake-ups.
  for (int step = 1; step < size && count < kMostEntries; ++step) {
    const std::atomic<uint32_t>& word = segment_->lines((segment_->local_index() + step) % size).life.word;
    const uint32_t value = word.load();
    if (value != 0 && (value & FUTEX_OWNER_DIED) == 0) entries[count++] = entry(word, value);
  }
  timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += kTickNs;
  if (until.tv_nsec >= 1'000'000'000) {
    until.tv_nsec -= 1'000'000'000;
    ++until.tv_sec;
  }
  ::syscall(SYS_futex_waitv, entries, count, 0, &until, CLOCK_MONOTONIC);
}

}  // namespace ps
