// Buffers out of one piece of memory that psMemAlloc gave, first fit, so that the sweep's cases have theirs there.
#pragma once

#include <parallelstate.h>

#include <cstddef>
#include <iterator>
#include <map>

#include "world.h"

namespace ps_test {

class Arena {
 public:
  Arena(psGroup group, size_t bytes) : group_(group) {
    void* memory = nullptr;
    require_ok(psMemAlloc(group, bytes, PS_DEVICE_HOST, &memory));
    memory_ = static_cast<std::byte*>(memory);
    free_[0] = bytes;
  }
  ~Arena() { psMemFree(group_, memory_); }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // nullptr when there is no room.
  std::byte* take(size_t bytes) {
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      const auto [at, size] = *it;
      if (size < bytes) continue;
      free_.erase(it);
      if (size > bytes) free_[at + bytes] = size - bytes;
      return memory_ + at;
    }
    return nullptr;
  }
  void give_back(std::byte* data, size_t bytes) {
    auto it = free_.emplace(static_cast<size_t>(data - memory_), bytes).first;
    if (const auto next = std::next(it); next != free_.end() && it->first + it->second == next->first) {
      it->second += next->second;
      free_.erase(next);
    }
    if (it == free_.begin()) return;
    const auto before = std::prev(it);
    if (before->first + before->second != it->first) return;
    before->second += it->second;
    free_.erase(it);
  }

 private:
  psGroup group_;
  std::byte* memory_ = nullptr;
  std::map<size_t, size_t> free_;  // offset to size
};

}  // namespace ps_test
