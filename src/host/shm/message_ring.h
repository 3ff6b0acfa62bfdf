// A single-writer, single-reader ring of entries for the messages of one pair of ranks in one direction.
//
// Entries start at 64-byte lines. The first word of an entry is its stamp, written last: position + 1, which no earlier
// entry at this place had. What a payload left there could look like a stamp, so where one may have been the writer clears
// the first word of the next entry before it stamps the current one; the reader polls one line and gets a small message
// with it.
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

  void tell();

  // `lines` after position_; at most once around.
  Line& line(uint64_t lines) const;
  void advance(uint64_t lines);
  bool has_room(uint64_t lines);

  std::atomic<uint64_t>* consumed_;  // lines, by the reader
  Line* lines_;
  uint64_t line_count_;
  size_t most_payload_;
  uint64_t position_ = 0;      // of the next entry to write or read, in lines
  uint64_t index_ = 0;         // position_ within the ring
  uint64_t room_until_ = 0;    // writer: lines known to be free end here
  uint64_t payload_until_ = 0; // writer: later lines have held no payload yet
  uint64_t front_lines_ = 0;   // reader: length of the entry at the front
  uint64_t told_ = 0;          // reader: the position that the writer knows
};

}  // namespace ps
