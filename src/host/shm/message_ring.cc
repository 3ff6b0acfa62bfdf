#include "host/shm/message_ring.h"

#include <sys/random.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/no_cancellation.h"
#include "host/copy/copy.h"
#include "host/copy/copy_few.h"

namespace ps {

struct MessageRing::Line {
  std::atomic<uint64_t> stamp;
  EntryType type;
  int32_t tag;
  uint64_t message;
  Signature signature;
  uint64_t bytes;
  std::byte inline_payload[16];
};

namespace {

constexpr size_t kLineBytes = 64;
constexpr size_t kInlineBytes = 16;
// Of an entry of 1 KiB; longer ones come in numbers, and their writer waits for room.
constexpr uint64_t kSmallLines = 17;

// No sum of it and a position is 0, as lines are at first.
uint64_t make_salt() {
  const NoCancellation no_cancellation;
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) fail_errno("no random number for a ring of messages");
  return number >> 1 | 1;
}

}  // namespace

MessageRing::MessageRing(std::byte* memory, size_t bytes)
    : head_(reinterpret_cast<Head*>(memory)),
      lines_(reinterpret_cast<Line*>(memory + sizeof(Head))),
      line_count_((bytes - sizeof(Head)) / kLineBytes),
      most_payload_((line_count_ / 4 - 1) * kLineBytes),
      room_until_(line_count_) {
  static_assert(sizeof(Line) == kLineBytes);
}

void MessageRing::open() {
  salt_ = head_->salt.load(std::memory_order_seq_cst);
  if (salt_ != 0) return;
  salt_ = make_salt();
  head_->salt.store(salt_, std::memory_order_seq_cst);
}

MessageRing::Line& MessageRing::line(uint64_t lines) const {
  const uint64_t index = index_ + lines;
  return lines_[index < line_count_ ? index : index - line_count_];
}

const void* MessageRing::next_line() const { return &line(0); }

void MessageRing::advance(uint64_t lines) {
  position_ += lines;
  index_ += lines;
  if (index_ >= line_count_) index_ -= line_count_;
}

bool MessageRing::has_room(uint64_t lines) {
  if (position_ + lines <= room_until_) return true;
  room_until_ = head_->consumed.load(std::memory_order_seq_cst) + line_count_;
  return position_ + lines <= room_until_;
}

bool MessageRing::write(const Entry& entry) {
  const size_t bytes = entry.payload.size();
  const bool is_inline = bytes <= kInlineBytes;
  const uint64_t lines = 1 + (is_inline ? 0 : (bytes + kLineBytes - 1) / kLineBytes);
  const uint64_t to_end = line_count_ - index_;
  const uint64_t skipped = lines > to_end ? to_end : 0;
  if (!has_room(skipped + lines)) return false;
  const uint64_t start = position_ + skipped;
  Line& head = line(skipped);
  head.type = entry.type;
  head.tag = entry.tag;
  head.message = entry.message;
  head.signature = entry.signature;
  head.bytes = bytes;
  if (is_inline) {
    copy_few(head.inline_payload, entry.payload.data(), bytes);
  } else {
    copy(CopyTarget::kShared, reinterpret_cast<std::byte*>(&head + 1), entry.payload.data(), bytes);
  }
  if (skipped > 0) {
    head.stamp.store(stamp_at(start), std::memory_order_relaxed);
    Line& wrap = line(0);
    wrap.type = EntryType::kWrap;
    wrap.stamp.store(stamp_at(position_), std::memory_order_seq_cst);
  } else {
    head.stamp.store(stamp_at(start), std::memory_order_seq_cst);
  }
  advance(skipped + lines);
  // Fetched from the reader's cache only when it is written, it would double the latency.
  own_line(&line(0));
  return true;
}

bool MessageRing::is_stamped(const Line& line) const {
  return line.stamp.load(std::memory_order_seq_cst) == stamp_at(position_);
}

std::optional<Entry> MessageRing::front() {
  if (salt_ == 0) {
    salt_ = head_->salt.load(std::memory_order_seq_cst);
    if (salt_ == 0) return std::nullopt;
  }
  const Line* head = &line(0);
  if (!is_stamped(*head)) return std::nullopt;
  if (head->type == EntryType::kWrap) {
    advance(line_count_ - index_);
    tell();
    head = &line(0);
    if (!is_stamped(*head)) return std::nullopt;
  }
  // A peer's number: whatever it says, nothing beyond the ring is read.
  if (head->bytes > most_payload_) fail(PS_ERR_INTERNAL, "a message entry claims {} bytes, at most {} fit", head->bytes, most_payload_);
  const bool is_inline = head->bytes <= kInlineBytes;
  front_lines_ = 1 + (is_inline ? 0 : (head->bytes + kLineBytes - 1) / kLineBytes);
  const std::byte* payload = is_inline ? head->inline_payload : reinterpret_cast<const std::byte*>(head + 1);
  return Entry{head->type, head->tag, head->message, head->signature, {payload, head->bytes}};
}

void MessageRing::tell() {
  told_ = position_;
  head_->consumed.store(position_, std::memory_order_seq_cst);
}

bool MessageRing::pop() {
  advance(front_lines_);
  // A writer needs at most half of the ring, and what it is not told of is less than an eighth: once all is read it knows
  // of enough room.
  if (front_lines_ <= kSmallLines && position_ - told_ < line_count_ / 8) return false;
  tell();
  return true;
}

}  // namespace ps
