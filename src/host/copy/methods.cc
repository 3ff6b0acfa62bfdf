#include "host/copy/methods.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace ps {
namespace {

constexpr size_t kMethods = 3;

struct Support {
  std::array<CopyMethod, kMethods> methods{CopyMethod::kMemcpy};
  size_t count = 1;
  bool fast_movsb = false;
  bool demotes = false;
  bool stores_lines = false;  // whole ones at once
};

const Support& support() {
  static const Support found = [] {
    Support made;
#if defined(__x86_64__)
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx);
    constexpr unsigned kErms = 1u << 9;
    constexpr unsigned kFsrm = 1u << 4;
    if ((ebx & kErms) != 0) made.methods[made.count++] = CopyMethod::kMovsb;
    made.fast_movsb = (edx & kFsrm) != 0;
    constexpr unsigned kCldemote = 1u << 25;
    made.demotes = (ecx & kCldemote) != 0;
    made.stores_lines = __builtin_cpu_supports("avx512f");
    made.methods[made.count++] = CopyMethod::kStream;
#endif
    return made;
  }();
  return found;
}

void copy_movsb([[maybe_unused]] std::byte* to, [[maybe_unused]] const std::byte* from, [[maybe_unused]] size_t bytes) {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
#endif
}

#if defined(__x86_64__)

constexpr size_t kLine = 64;
// How far before its copy a line of the source is fetched. Stores past the caches occupy the same few places of a core
// that its own fetches wait in, and the processor's own guess ends with each page.
constexpr size_t kFetchedAhead = 2 << 10;

// Whole lines.
void stream_lines(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kLine) {
    if (at + kFetchedAhead < bytes) _mm_prefetch(reinterpret_cast<const char*>(from + at + kFetchedAhead), _MM_HINT_T0);
    const auto* source = reinterpret_cast<const __m128i*>(from + at);
    auto* line = reinterpret_cast<__m128i*>(to + at);
    const __m128i a = _mm_loadu_si128(source);
    const __m128i b = _mm_loadu_si128(source + 1);
    const __m128i c = _mm_loadu_si128(source + 2);
    const __m128i d = _mm_loadu_si128(source + 3);
    _mm_stream_si128(line, a);
    _mm_stream_si128(line + 1, b);
    _mm_stream_si128(line + 2, c);
    _mm_stream_si128(line + 3, d);
  }
}

__attribute__((target("avx512f"))) void stream_whole_lines(std::byte* to, const std::byte* from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += kLine) {
    if (at + kFetchedAhead < bytes) _mm_prefetch(reinterpret_cast<const char*>(from + at + kFetchedAhead), _MM_HINT_T0);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to + at), _mm512_loadu_si512(from + at));
  }
}

void copy_stream(std::byte* to, const std::byte* from, size_t bytes) {
  const size_t head = std::min(bytes, (kLine - reinterpret_cast<uintptr_t>(to) % kLine) % kLine);
  std::memcpy(to, from, head);
  const size_t lines = (bytes - head) / kLine * kLine;
  (support().stores_lines ? stream_whole_lines : stream_lines)(to + head, from + head, lines);
  std::memcpy(to + head + lines, from + head + lines, bytes - head - lines);
  _mm_sfence();
}

#else

void copy_stream(std::byte* to, const std::byte* from, size_t bytes) { std::memcpy(to, from, bytes); }

#endif

}  // namespace

const char* copy_method_name(CopyMethod method) {
  switch (method) {
    case CopyMethod::kMemcpy: return "memcpy";
    case CopyMethod::kMovsb: return "movsb";
    case CopyMethod::kStream: return "stream";
  }
  return "unknown";
}

std::span<const CopyMethod> supported_copy_methods() { return std::span(support().methods).first(support().count); }

void copy_by(CopyMethod method, std::byte* to, const std::byte* from, size_t bytes) {
  switch (method) {
    case CopyMethod::kMemcpy: std::memcpy(to, from, bytes); return;
    case CopyMethod::kMovsb: return copy_movsb(to, from, bytes);
    case CopyMethod::kStream: return copy_stream(to, from, bytes);
  }
}

bool has_fast_movsb() { return support().fast_movsb; }
bool can_hand_on() { return support().demotes; }

// Hands each line on, as soon as it is written, to the cache that cores share, where a peer finds it sooner than in this
// core's own. For a few lines alone: it costs more than it saves where copying in and out overlap.
void copy_handing_on([[maybe_unused]] std::byte* to, [[maybe_unused]] const std::byte* from, [[maybe_unused]] size_t bytes) {
#if defined(__x86_64__)
  size_t at = 0;
  for (; at + kLine <= bytes; at += kLine) {
    for (size_t i = at; i < at + kLine; i += sizeof(__m128i)) {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
    }
    asm volatile("cldemote %0" : : "m"(to[at]) : "memory");
  }
  std::memcpy(to + at, from + at, bytes - at);
#endif
}

}  // namespace ps
