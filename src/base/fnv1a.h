// FNV-1a (Fowler, Noll, Vo), 64 bits, a byte at a time: short enough to be the same in every language.
#pragma once

#include <cstdint>

namespace ps {

inline constexpr uint64_t kFnv1aStart = 0xcbf29ce484222325;

constexpr uint64_t fnv1a(uint64_t hash, unsigned char byte) { return (hash ^ byte) * 0x100000001b3; }

}  // namespace ps
