// A stream of frames to and from one peer on one channel of the transport. Both sides have a few frames of fixed room:
// those to receive into are always posted, so that nothing that comes meets no receive, and whoever does not take frames
// in holds its sender back after as many. All memory that the transport sees is the lane's own: an operation that fails
// leaves nothing behind that could touch its caller's buffers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/error.h"
#include "host/net/transport.h"
#include "host/signature.h"

namespace ps {

enum class LaneFrame : uint32_t {
  kBegin = 1,   // of a collective, with a small contribution
  kEntry = 4,   // of a mailbox
  kNotice = 5,  // beside all data
};

struct LaneHeader {
  LaneFrame type{};
  uint32_t bytes = 0;     // after the header
  uint64_t sequence = 0;  // of the collective; a mailbox entry's message
  Signature signature;
  double scale = 0;       // PS_PREMUL_SUM
  uint64_t words[3] = {};
};
static_assert(sizeof(LaneHeader) == 64);

class Lane {
 public:
  static constexpr size_t kDepth = 4;

  // Who looks at its front waits for what comes, or is told when something has come.
  enum class Reader { kWaits, kIsTold };

  Lane(Transport& transport, int peer, uint64_t channel, size_t payload_bytes, Reader reader = Reader::kWaits)
      : transport_(transport), peer_(peer), channel_(channel), payload_bytes_(payload_bytes), reader_(reader) {}

  size_t payload_bytes() const { return payload_bytes_; }

  // Sends a frame whose payload `fill` writes. False: no room now, or none any more, as the path is lost. `matters`: the
  // peer cannot do without it.
  template <class Fill>
  bool send(LaneHeader header, size_t bytes, Fill&& fill, bool matters = true) {
    if (bytes > payload_bytes_) fail(PS_ERR_INTERNAL, "a frame of {} bytes, at most {} fit", bytes, payload_bytes_);
    const std::lock_guard lock(mutex_);
    std::byte* frame = transport_.is_cut(peer_) ? nullptr : reserve();
    if (frame == nullptr) return false;
    header.bytes = static_cast<uint32_t>(bytes);
    std::memcpy(frame, &header, sizeof header);
    if (bytes > 0) fill(frame + sizeof header);
    if (!post(bytes)) return false;
    if (matters) needed_ = sent_;
    return true;
  }
  // Whether all that matters is on its way.
  bool all_sent();

  // Posts the receives. Once.
  void open();
  struct Frame {
    LaneHeader header;
    const std::byte* payload = nullptr;  // until pop()
  };
  // The oldest frame that has arrived; nullptr: none.
  const Frame* front();
  void pop();

 private:
  std::byte* reserve();
  bool post(size_t bytes);
  void receive(size_t slot);
  size_t frame_bytes() const { return sizeof(LaneHeader) + payload_bytes_; }

  Transport& transport_;
  const int peer_;
  const uint64_t channel_;
  const size_t payload_bytes_;
  const Reader reader_;

  std::mutex mutex_;  // of the sending side, which a rank that leaves looks at beside its operations
  std::unique_ptr<std::byte[]> out_;
  psPluginTicket sends_[kDepth] = {};
  uint64_t sent_ = 0;
  uint64_t confirmed_ = 0;
  uint64_t needed_ = 0;  // sent up to the last that matters

  std::unique_ptr<std::byte[]> in_;
  psPluginTicket receives_[kDepth] = {};
  uint64_t taken_ = 0;
  bool has_front_ = false;
  Frame front_;
};

}  // namespace ps
