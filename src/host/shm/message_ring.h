// A single-writer, single-reader ring of entries for the messages of one pair of ranks in one direction.
//
// Entries start at 64-byte lines. The first word of an entry is its stamp, written last: its position in the stream, so no
// earlier entry at this place had the same, plus a random number of the ring's, so that what a payload left there cannot
// look like a stamp. The reader polls one line and gets a small message with it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "host/message_path.h"

namespace ps {

class MessageRing {
 public:
  // `memory` is zeroed at first, and the same for both sides.
  MessageRing(std::byte* memory, size_t bytes);

  // The most that one entry may carry: a quarter, so that entries overlap with their reading.
  size_t most_payload() const { return most_payload_; }

  // Writer, before all else; again where what came after it failed. Errors: SYSTEM.
  void open();
  // Writer: the line that the next entry begins in.
  const void* next_line() const;
  // Writer. False: no room now.
  bool write(const Entry& entry);

  // Reader. The payload lies in the ring until pop().
  std::optional<Entry> front();
  // True: the writer has been told of the room, and may wait for it. Of small entries it is told now and then.
  bool pop();

 private:
  struct Line;
  // The ring's own memory before its lines.
  struct Head {
    alignas(64) std::atomic<uint64_t> consumed;  // lines, by the reader
    alignas(64) std::atomic<uint64_t> salt;      // of the stamps, by the writer; 0: not yet
  };

  uint64_t stamp_at(uint64_t position) const { return salt_ + position; }
  bool is_stamped(const Line& line) const;
  void tell();

  // `lines` after position_; at most once around.
  Line& line(uint64_t lines) const;
  void advance(uint64_t lines);
  bool has_room(uint64_t lines);

  Head* head_;
  Line* lines_;
  uint64_t line_count_;
  size_t most_payload_;
  uint64_t position_ = 0;      // of the next entry to write or read, in lines
  uint64_t index_ = 0;         // position_ within the ring
  uint64_t room_until_ = 0;    // writer: lines known to be free end here
  uint64_t salt_ = 0;
  uint64_t front_lines_ = 0;   // reader: length of the entry at the front
  uint64_t told_ = 0;          // reader: the position that the writer knows
};

}  // namespace ps
