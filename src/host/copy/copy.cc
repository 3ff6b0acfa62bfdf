#include "host/copy/copy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <optional>

#include "base/deadline.h"
#include "base/environment.h"
#include "base/error.h"

namespace ps {
namespace {

constexpr const char* kVariable = "PS_COPY";
// Below this memcpy is as good as any.
constexpr size_t kLeastBytes = 4 << 10;
// Copies of each method before the choice; those before may have touched their pages for the first time.
constexpr uint32_t kSamples = 9;
constexpr size_t kMethods = 3;
// After so many copies they are measured again: the machine may have been busy with something else the first time.
constexpr uint32_t kRevised = 10'000;
// Another method than the expected one must be that much faster: what was measured may have been a calm moment.
constexpr double kClearly = 0.85;

bool has(CopyMethod method) {
  const auto methods = supported_copy_methods();
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}

// The choice for one class of copies. Threads may decide beside each other, and then agree or not: either will do.
class Choice {
 public:
  void run(CopyTarget target, std::byte* to, const std::byte* from, size_t bytes) {
    const int decided = decided_.load(std::memory_order_relaxed);
    // Threads may count beside each other; a copy that is not counted does no harm.
    const uint32_t copies = copies_.load(std::memory_order_relaxed);
    if (decided < 0 || copies >= kRevised) return sample(target, to, from, bytes);
    copies_.store(copies + 1, std::memory_order_relaxed);
    copy_by(static_cast<CopyMethod>(decided), to, from, bytes);
  }
  std::optional<CopyMethod> decided() const {
    const int decided = decided_.load(std::memory_order_relaxed);
    return decided < 0 ? std::nullopt : std::optional(static_cast<CopyMethod>(decided));
  }

  CopyMethod likely(CopyTarget target) const { return decided().value_or(expected(target)); }

 private:
  static CopyMethod expected(CopyTarget target) {
    if (target == CopyTarget::kLargeOutput && has(CopyMethod::kStream)) return CopyMethod::kStream;
    return has_fast_movsb() ? CopyMethod::kMovsb : CopyMethod::kMemcpy;
  }
  // A peer reads what is staged out of this core's cache, so it must not leave it.
  static bool suits(CopyMethod method, CopyTarget target) {
    return method != CopyMethod::kStream || target == CopyTarget::kLargeOutput;
  }

  void sample(CopyTarget target, std::byte* to, const std::byte* from, size_t bytes) {
    std::array<CopyMethod, kMethods> candidates{};
    uint32_t count = 0;
    for (const CopyMethod method : supported_copy_methods()) {
      if (suits(method, target)) candidates[count++] = method;
    }
    const uint32_t turn = turns_.fetch_add(1, std::memory_order_relaxed);
    const CopyMethod method = candidates[turn % count];
    const int64_t begin = monotonic_ns();
    copy_by(method, to, from, bytes);
    const int64_t spent = monotonic_ns() - begin;
    const uint32_t index = turn / count;
    if (index < kSamples) {
      samples_[static_cast<size_t>(method)][index].store(static_cast<float>(spent) / static_cast<float>(bytes),
                                                         std::memory_order_relaxed);
    } else {
      decide(target, std::span(candidates).first(count));
    }
  }

  void decide(CopyTarget target, std::span<const CopyMethod> candidates) {
    CopyMethod best = expected(target);
    double least = median(best) * kClearly;
    for (const CopyMethod method : candidates) {
      if (method == best || median(method) >= least) continue;
      best = method;
      least = median(method);
    }
    decided_.store(static_cast<int>(best), std::memory_order_relaxed);
    turns_.store(0, std::memory_order_relaxed);
    copies_.store(0, std::memory_order_relaxed);
  }

  double median(CopyMethod method) const {
    std::array<float, kSamples> sorted;
    const auto& samples = samples_[static_cast<size_t>(method)];
    std::transform(samples.begin(), samples.end(), sorted.begin(),
                   [](const auto& sample) { return sample.load(std::memory_order_relaxed); });
    std::nth_element(sorted.begin(), sorted.begin() + kSamples / 2, sorted.end());
    return static_cast<double>(sorted[kSamples / 2]);
  }

  std::atomic<int> decided_{-1};
  // Since then. In a line of its own, as every copy writes it.
  alignas(64) std::atomic<uint32_t> copies_{0};
  alignas(64) std::atomic<uint32_t> turns_{0};
  std::array<std::array<std::atomic<float>, kSamples>, kMethods> samples_{};
};

// Where the last cache is not known.
constexpr size_t kUsualCache = 32 << 20;

size_t last_cache() {
#if defined(_SC_LEVEL3_CACHE_SIZE)
  const long found = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  if (found > 0) return static_cast<size_t>(found);
#endif
  return kUsualCache;
}

// By target, and by whether a copy is much longer than the latency of its first lines.
constexpr size_t kLong = 64 << 10;
std::array<std::array<Choice, 2>, 3> choices;

std::optional<CopyMethod> read_setting() {
  const auto value = environment(kVariable);
  if (!value || *value == "auto") {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    // The sanitizers see no other one.
    return CopyMethod::kMemcpy;
#else
    return std::nullopt;
#endif
  }
  for (const CopyMethod method : {CopyMethod::kMemcpy, CopyMethod::kMovsb, CopyMethod::kStream}) {
    if (*value != copy_method_name(method)) continue;
    return has(method) ? method : CopyMethod::kMemcpy;
  }
  fail(PS_ERR_ARGUMENT, "the environment variable {}=\"{}\" must be one of \"auto\", \"memcpy\", \"movsb\", \"stream\"",
       kVariable, *value);
}

const std::optional<CopyMethod>& forced() {
  static const std::optional<CopyMethod> setting = read_setting();
  return setting;
}

}  // namespace

void copy(CopyTarget target, std::byte* to, const std::byte* from, size_t bytes) {
  if (bytes == 0 || to == from) return;
  if (bytes < kLeastBytes) {
    if (target == CopyTarget::kShared && can_hand_on() && !forced()) return copy_handing_on(to, from, bytes);
    std::memcpy(to, from, bytes);
  } else if (forced()) {
    copy_by(*forced(), to, from, bytes);
  } else {
    choices[static_cast<size_t>(target)][bytes >= kLong ? 1 : 0].run(target, to, from, bytes);
  }
}

bool streams_large_output() {
  constexpr CopyTarget kTarget = CopyTarget::kLargeOutput;
  return forced().value_or(choices[static_cast<size_t>(kTarget)][1].likely(kTarget)) == CopyMethod::kStream;
}

// Other things are in the cache too: of 300 MiB here, all_reduce in shared memory left it from 120 MiB on, with 2 and with 4
// ranks.
bool streams_outputs(size_t bytes_of_all) {
  static const size_t most = last_cache() / 5 * 2;
  return streams_large_output() && (forced() || bytes_of_all > most);
}

std::string chosen_copy(CopyTarget target) {
  if (forced()) return copy_method_name(*forced());
  const auto& [brief, lengthy] = choices[static_cast<size_t>(target)];
  const auto name = [](const Choice& choice) { return choice.decided() ? copy_method_name(*choice.decided()) : "auto"; };
  const std::string first = name(brief);
  const std::string second = name(lengthy);
  return first == second ? first : first + ", from 64 KiB " + second;
}

void check_copy_setting() { forced(); }

}  // namespace ps
