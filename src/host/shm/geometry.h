// Where everything lies in the shared memory of one communicator. Computed alike by all members from their number and
// the budget, so no offset ever travels.
//
//   failure record | lines of each member | slots of each member, two parities | rings of each member | shares of
//   each member | messages of each pair
//
// Only lines and slots are touched at formation; the rest costs nothing until its first use.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "host/shm/regions.h"
#include "host/signature.h"

namespace ps {

// How an operation begins whose data does not fit into the header: the counters of its member's ring, and whether the
// member lends its buffers (host/shm/direct.h).
struct Opening {
  uint64_t staged;
  uint64_t reduced;
  uint64_t consumed;
  uint32_t lends;       // of kLendsInput and kLendsOutput
  uint32_t root_share;  // of each block around a root that both its sides move: what the root does (host/shm/share.h)

  static constexpr uint32_t kLendsInput = 1;
  static constexpr uint32_t kLendsOutput = 2;  // and its source may write there
};

// Where the buffers lie that a member lends.
struct Lent {
  Place input;
  Place output;
};

// The flag in the data line: a reader that sees the sequence number has the signature and up to 32 bytes with the same
// cache line.
struct alignas(128) Header {
  std::atomic<uint64_t> sequence;
  Signature signature;
  double scale;  // PS_PREMUL_SUM
  union {
    std::byte payload[32];  // what is staged, where it fits
    Opening opening;
    Lent lent;  // of a one-shot whose data does not fit
  };
  Lent lent_beside_opening;  // in the second line, which is not read otherwise
  std::atomic<uint64_t> retracted;  // not 0: its group has failed, and nobody may begin to touch that
};
static_assert(sizeof(Opening) == sizeof(Header::payload) && sizeof(Lent) == sizeof(Header::payload) &&
              offsetof(Header, lent_beside_opening) == 64);

struct alignas(128) Counter {
  std::atomic<uint64_t> value;
};

// What a member passes on in a tree (host/shm/tree.h), with its flag as in a header.
struct alignas(128) RelayLine {
  std::atomic<uint64_t> sequence;
  Signature signature;
  std::byte payload[104];
};
static_assert(sizeof(RelayLine) == 128);

// A member's own lines; it alone writes them, all others read.
struct MemberLines {
  std::array<Header, 2> headers;  // by parity of the sequence number
  Counter staged;                 // pieces put into its ring, ever
  Counter reduced;                // pieces of all_reduce of which its share is done, ever
  Counter consumed;               // rounds that it has read, ever
  Counter late;                   // the last operation for which it filled its slot after it had published
  Counter done;                   // the last operation in which it has used what others lent to the end
  Counter begun;                  // the last operation of which it is the root and has compared its call with everybody's
  Counter touching;               // not 0 while it touches what others lend; polled by nobody
  Counter touching_messages;      // the same of messages
  Counter retracted_messages;     // not 0: nobody may begin to touch its messages any more
  Counter freed;                  // bit t: it has freed the group with tag t
  std::array<RelayLine, 2> gathered;  // contributions on their way to the root, by parity as headers
  std::array<RelayLine, 2> handed;    // a result on its way from there
};

// The first failure that a member decided on, for all others to adopt.
struct FailureRecord {
  std::atomic<uint32_t> state;  // 0 none, 1 being written, 2 there
  int32_t code;
  int32_t culprit;  // world rank
  char text[2036];
};

struct Geometry {
  static constexpr int kRing = 4;  // pieces in a ring: how far a writer may be ahead of its readers, and see two_shot.h

  // `budget` bounds a member's share in bytes (psConfig.host_buffer_bytes).
  static Geometry plan(int size, uint64_t budget);

  int size = 0;
  size_t slot_bytes = 0;     // the largest staged contribution of the one-shot path
  size_t piece_bytes = 0;
  size_t share_bytes = 0;    // a member's share of a piece, combined, on its way to other hosts and back
  size_t message_bytes = 0;  // ring of one pair and direction

  size_t lines_offset = 0;
  size_t slots_offset = 0;
  size_t rings_offset = 0;
  size_t shares_offset = 0;
  size_t messages_offset = 0;
  size_t total_bytes = 0;
};

}  // namespace ps
