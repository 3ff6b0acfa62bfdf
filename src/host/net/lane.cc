#include "host/net/lane.h"

#include <cstring>

#include "base/error.h"

namespace ps {

std::byte* Lane::reserve() {
  if (!out_) out_ = std::make_unique_for_overwrite<std::byte[]>(kDepth * frame_bytes());
  while (confirmed_ < sent_) {
    psPluginTicket& oldest = sends_[confirmed_ % kDepth];
    // Of a lost path nothing more is heard.
    if (oldest != nullptr && transport_.test(peer_, oldest) == Transport::State::kPending) break;
    oldest = nullptr;
    ++confirmed_;
  }
  return sent_ - confirmed_ < kDepth ? out_.get() + sent_ % kDepth * frame_bytes() : nullptr;
}

bool Lane::post(size_t bytes) {
  const psPluginTicket ticket =
      transport_.post_send(peer_, channel_, out_.get() + sent_ % kDepth * frame_bytes(), sizeof(LaneHeader) + bytes);
  if (ticket == nullptr && transport_.is_cut(peer_)) return false;
  sends_[sent_++ % kDepth] = ticket;
  return true;
}

bool Lane::all_sent() {
  const std::lock_guard lock(mutex_);
  if (confirmed_ < needed_) reserve();
  return confirmed_ >= needed_;
}

void Lane::open() {
  in_ = std::make_unique_for_overwrite<std::byte[]>(kDepth * frame_bytes());
  for (size_t slot = 0; slot < kDepth; ++slot) receive(slot);
}

void Lane::receive(size_t slot) {
  receives_[slot] = transport_.post_recv(peer_, channel_, in_.get() + slot * frame_bytes(), frame_bytes());
}

const Lane::Frame* Lane::front() {
  if (has_front_) return &front_;
  const size_t slot = taken_ % kDepth;
  if (receives_[slot] == nullptr) return nullptr;
  const bool waits = reader_ == Reader::kWaits;
  const Transport::State state = waits ? transport_.poll(peer_, receives_[slot]) : transport_.test(peer_, receives_[slot]);
  if (state == Transport::State::kPending) return nullptr;
  receives_[slot] = nullptr;
  if (state == Transport::State::kLost) return nullptr;
  const std::byte* frame = in_.get() + slot * frame_bytes();
  std::memcpy(&front_.header, frame, sizeof front_.header);
  front_.payload = frame + sizeof front_.header;
  // A peer's number: whatever it says, nothing beyond the frame is read.
  if (front_.header.bytes > payload_bytes_) {
    fail(PS_ERR_INTERNAL, "a frame claims {} bytes, at most {} fit", front_.header.bytes, payload_bytes_);
  }
  has_front_ = true;
  return &front_;
}

void Lane::pop() {
  has_front_ = false;
  receive(taken_ % kDepth);
  ++taken_;
}

}  // namespace ps
