// Memory that a rank is about to take, counted with what its host's other ranks are about to: members of a group take their
// parts at the same time, and each part alone may still have room.
#pragma once

#include <cstddef>
#include <string>

#include "control/host_segment.h"

namespace ps {

class MemoryClaim {
 public:
  // Until it ends the bytes are counted for this rank, so they are taken meanwhile. Errors: see require_memory.
  MemoryClaim(const HostSegment& host, size_t bytes, const std::string& what);
  ~MemoryClaim();
  MemoryClaim(const MemoryClaim&) = delete;
  MemoryClaim& operator=(const MemoryClaim&) = delete;

 private:
  void check(const std::string& what) const;
  struct Claimed {
    size_t in_group;  // by ranks whose control group is this rank's
    size_t on_host;
  };
  // By all ranks that live.
  Claimed claimed() const;

  const HostSegment& host_;
  const size_t bytes_;
  const uint64_t group_;
};

}  // namespace ps
