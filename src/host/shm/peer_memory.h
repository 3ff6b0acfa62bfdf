// The buffers of a group's members as this rank reaches them without any memory that was shared before: through the kernel,
// or directly where the members are threads of one process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "control/host_segment.h"

namespace ps {

class PeerMemory {
 public:
  struct Reach {
    bool in_process;
    bool pays;  // whether it is faster than shared memory
  };
  // `members`: their local indices, which outlive it as `host` does.
  PeerMemory(const HostSegment& host, std::span<const LocalIndex> members, Reach reach)
      : host_(host), members_(members), reach_(reach) {}

  // False where the member is no more. Errors: SYSTEM where its memory is not what it said.
  bool read(int member, std::byte* to, uint64_t from, size_t bytes) const;
  bool write(int member, uint64_t to, const std::byte* from, size_t bytes) const;

  bool in_process() const { return reach_.in_process; }
  bool pays() const { return reach_.pays; }

 private:
  int32_t pid(int member) const;
  bool judge(int member, int error, size_t bytes, const char* how) const;

  const HostSegment& host_;
  std::span<const LocalIndex> members_;
  Reach reach_;
};

// Which buffers of this rank peers can reach. To ask takes a good part of the time of the smallest that are lent, so the
// last ones are remembered, as programs use the same again and again; but only for a tick of the coarse clock, some
// milliseconds: nobody tells when memory is unmapped, and what is mapped at its addresses then may be out of reach.
class LendableBuffers {
 public:
  explicit LendableBuffers(const PeerMemory* peers) : peers_(peers) {}

  bool has(const std::byte* data, size_t bytes);

 private:
  struct Range {
    const std::byte* data = nullptr;
    size_t bytes = 0;
  };

  const PeerMemory* peers_;  // nullptr: none can
  std::array<Range, 4> known_{};
  size_t oldest_ = 0;
  int64_t asked_ns_ = 0;  // in which tick
};

}  // namespace ps
