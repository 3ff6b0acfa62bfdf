// The memory of a group that all its members reach: what psMemAlloc made, and what psGroupRegister added. Collectives
// whose buffers lie in it use them where they are.
//
// Every verb is an agreement over the group's members, so that all succeed or all fail: memory is handed over by the
// first member, and only when everybody has it does anybody return.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "control/handover.h"
#include "control/shared_memory.h"
#include "control/store/store.h"
#include "host/region.h"
#include "host/signature.h"

namespace ps {

class Group;

// One psMemAlloc: equal parts of one piece of memory, a part for each member.
struct Allocation {
  uint64_t serial = 0;  // the same on all members
  std::vector<int32_t> global_ranks;
  std::shared_ptr<SharedMemory> memory;
  size_t stride = 0;  // between parts; 0: this rank's part alone, where members do not share a host
  size_t size = 0;    // of a part
  std::byte* own = nullptr;

  std::byte* part(size_t index) const { return memory->data() + index * stride; }
};

class GroupMemory {
 public:
  explicit GroupMemory(Group& group) : group_(group) {}
  ~GroupMemory();

  // Errors: MISMATCH sizes differ; NO_MEMORY, SYSTEM of any member; PEER_FAILED, TIMEOUT.
  void* allocate(size_t size);
  void free(void* memory);
  // UNSUPPORTED on all where a member's range lies in no allocation that all of them have.
  void add(void* memory, size_t size);
  void remove(void* memory);

  // The allocation of this group in which the range lies; nullptr when in none.
  std::shared_ptr<const Allocation> find(const void* memory, size_t size) const;
  std::shared_ptr<const Allocation> find(uint64_t serial) const;

 private:
  struct Statement;
  struct Round;
  struct Entry {
    void* memory = nullptr;
    uint64_t serial = 0;                           // the same on all members
    bool has_region = false;                       // whose id is that
    std::shared_ptr<const Allocation> allocation;  // of psMemAlloc, else nullptr
  };

  // All members state what they do and how it went. Throws, on all of them, what any of them reports, or that they differ.
  Round meet(const Statement& own, const char* step);
  void hand_over(Offer& offer, Allocation& allocation, const Round& round, Deadline deadline);
  void enter(Entry entry, std::shared_ptr<Region> region, Kind kind);
  void leave(void* memory, Kind kind);
  bool shares() const;
  Deadline deadline() const;
  StopCheck stop_check() const;

  Group& group_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace ps
