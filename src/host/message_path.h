// What a mailbox needs of the way to one peer: entries in order, in both directions, and a bound on how many wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "host/signature.h"

namespace ps {

enum class EntryType : uint32_t {
  kEager = 1,     // a whole message
  kAnnounce = 2,  // a large message begins
  kAccept = 3,    // its receive has been posted: send all of it
  kPiece = 4,     // part of an announced message
  kWrap = 5,      // nothing until the end of the ring
  kLend = 6,      // a large message lies in its sender's memory, at the address that it carries
  kTake = 7,      // the receive of a lent message has been posted: its buffer is at that address, 0 nowhere
};

struct Entry {
  EntryType type{};
  int32_t tag = 0;
  uint64_t message = 0;  // the sender's number of a large message
  Signature signature;   // of the send call
  std::span<const std::byte> payload;
};

class MessagePath {
 public:
  virtual ~MessagePath() = default;

  // The most that one entry may carry.
  virtual size_t most_payload() const = 0;
  // False: no room now.
  virtual bool write(const Entry& entry) = 0;
  // The oldest entry that has arrived; its payload stays until pop().
  virtual std::optional<Entry> front() = 0;
  // True: the peer may wait for the room, and is to be rung.
  virtual bool pop() = 0;
  // Wakes the peer, which may wait for what was written or for the room that was made.
  virtual void ring() = 0;

  // The address that lends a buffer to the peer, 0: the peer cannot reach it. Messages that are lent are moved in one copy
  // by both sides, whoever comes first to each part, and one after the other, in the order of their kTake.
  virtual uint64_t lend(const std::byte*, size_t) { return 0; }
  // Moves what there is to move of the next message in that direction; true once all of it is moved. An address of 0:
  // the other side moves it.
  virtual bool move_out(const std::byte* /*from*/, uint64_t /*to*/, size_t /*bytes*/) { return false; }
  virtual bool move_in(std::byte* /*to*/, uint64_t /*from*/, size_t /*bytes*/) { return false; }
};

}  // namespace ps
