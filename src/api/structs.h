// Structs that grow: read from callers older or newer than this library, and written to them.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include "base/error.h"

namespace ps::api {

// Every struct has had its present size since version 0.1; one that grows later keeps its first size here.
template <class Struct>
inline constexpr size_t kFirstSize = sizeof(Struct);

template <class Struct>
void check_size(const Struct* given, const char* name) {
  if (given->struct_size < kFirstSize<Struct>) {
    fail(PS_ERR_ARGUMENT, "{}.struct_size is {}, at least {} is needed; set it with the _INIT macro", name,
         given->struct_size, kFirstSize<Struct>);
  }
}

// `given` NULL: all defaults.
template <class Struct>
Struct read_options(const Struct* given, const char* name) {
  Struct options{};
  options.struct_size = sizeof(Struct);
  if (given == nullptr) return options;
  check_size(given, name);
  const size_t size = given->struct_size;
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  if (size > sizeof(Struct) && !std::all_of(bytes + sizeof(Struct), bytes + size, [](unsigned char b) { return b == 0; })) {
    fail(PS_ERR_UNSUPPORTED, "{} has {} bytes with fields set that this library (version {}.{}.{}, {} bytes) does not know",
         name, size, PS_VERSION_MAJOR, PS_VERSION_MINOR, PS_VERSION_PATCH, sizeof(Struct));
  }
  std::memcpy(&options, given, std::min(size, sizeof(Struct)));
  options.struct_size = sizeof(Struct);
  return options;
}

template <class Struct>
void write_info(Struct* out, Struct info) {
  const uint32_t size = out->struct_size;
  info.struct_size = size;
  std::memcpy(out, &info, std::min<size_t>(size, sizeof(Struct)));
  if (size > sizeof(Struct)) std::memset(reinterpret_cast<char*>(out) + sizeof(Struct), 0, size - sizeof(Struct));
}

inline void check_flags(uint32_t flags, uint32_t accepted, const char* name) {
  if ((flags & ~accepted) != 0) fail(PS_ERR_ARGUMENT, "{} has unknown flags {:#x}; accepted are {:#x}", name, flags & ~accepted, accepted);
}

inline void check_timeout(int64_t timeout_ms, const char* name) {
  if (timeout_ms < -1) fail(PS_ERR_ARGUMENT, "{} is {}; use -1 for the default, 0 or a number of milliseconds", name, timeout_ms);
}

// (out, capacity, count) as every list is given.
template <class Item, class List>
void write_list(const List& list, Item* out, size_t capacity, size_t* count) {
  if (count == nullptr) fail(PS_ERR_ARGUMENT, "count is NULL");
  if (out == nullptr && capacity > 0) fail(PS_ERR_ARGUMENT, "the output is NULL with a capacity of {}", capacity);
  const size_t written = std::min(capacity, list.size());
  for (size_t i = 0; i < written; ++i) out[i] = list[i];
  *count = list.size();
}

}  // namespace ps::api
