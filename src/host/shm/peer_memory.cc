#include "host/shm/peer_memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/deadline.h"
#include "base/error.h"
#include "base/process_memory.h"

namespace ps {

int32_t PeerMemory::pid(int member) const {
  return host_.roster().member(host_.rank_of(members_[static_cast<size_t>(member)])).pid;
}

bool PeerMemory::judge(int member, int error, size_t bytes, const char* how) const {
  if (error == 0) return true;
  if (error == ESRCH) return false;
  fail(PS_ERR_SYSTEM, "{} bytes of a buffer of member {} of the group (pid {}) could not be {}: {}; PS_CROSS_MEMORY=0 moves "
       "data through shared memory instead", bytes, member, pid(member), how, std::strerror(error));
}

bool PeerMemory::read(int member, std::byte* to, uint64_t from, size_t bytes) const {
  if (reach_.in_process) {
    std::memcpy(to, reinterpret_cast<const void*>(from), bytes);
    return true;
  }
  return judge(member, read_process(pid(member), to, from, bytes), bytes, "read");
}

bool PeerMemory::write(int member, uint64_t to, const std::byte* from, size_t bytes) const {
  if (reach_.in_process) {
    std::memcpy(reinterpret_cast<void*>(to), from, bytes);
    return true;
  }
  return judge(member, write_process(pid(member), to, from, bytes), bytes, "written");
}

bool LendableBuffers::has(const std::byte* data, size_t bytes) {
  if (peers_ == nullptr || peers_->in_process()) return peers_ != nullptr;
  if (const int64_t now = monotonic_coarse_ns(); now != asked_ns_) {
    known_ = {};
    asked_ns_ = now;
  }
  const auto covers = [&](const Range& range) { return range.data <= data && data + bytes <= range.data + range.bytes; };
  if (std::any_of(known_.begin(), known_.end(), covers)) return true;
  if (!is_lendable(data, bytes)) return false;
  known_[oldest_] = {data, bytes};
  oldest_ = (oldest_ + 1) % known_.size();
  return true;
}

}  // namespace ps
