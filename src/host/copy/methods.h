// The ways to copy that processors have. All give the same bytes.
#pragma once

#include <cstddef>
#include <span>

namespace ps {

enum class CopyMethod {
  kMemcpy,
  kMovsb,   // `rep movsb`
  kStream,  // stores past the caches
};

// "memcpy", "movsb", "stream"
const char* copy_method_name(CopyMethod method);

// Those that this processor has; memcpy always.
std::span<const CopyMethod> supported_copy_methods();
// Whether `rep movsb` is meant for copies of any length.
bool has_fast_movsb();

// The ranges do not overlap. Later stores come after the copy, a flag among them.
void copy_by(CopyMethod method, std::byte* to, const std::byte* from, size_t bytes);

// Copies, and hands each line on, as soon as it is written, to the cache that cores share, where a peer finds it sooner
// than in this core's own. For a few lines alone: of many it costs more than it saves. Where can_hand_on().
void copy_handing_on(std::byte* to, const std::byte* from, size_t bytes);
bool can_hand_on();

// Has a line fetched for writing, without waiting for it.
inline void own_line(const void* line) {
#if defined(__x86_64__)
  // __builtin_prefetch would fetch it for reading on the baseline.
  asm volatile("prefetchw %0" : : "m"(*static_cast<const char*>(line)));
#else
  __builtin_prefetch(line, 1);
#endif
}

}  // namespace ps
