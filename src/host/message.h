// One send or receive in flight. Owned by the caller, which keeps it until it is done.
#pragma once

#include <cstddef>
#include <cstdint>

#include "host/signature.h"

namespace ps {

// Of a message that is to be received, or a collective that is to be ended, without being kept: done; not yet, ask again;
// or not so, and it must be posted, or resumed.
enum class AtOnce { kDone, kNotYet, kNo };

struct Message {
  Signature signature;  // kind, dtype, count, peer as root, group
  int peer = 0;
  int32_t tag = 0;
  std::byte* buffer = nullptr;
  size_t bytes = 0;
  bool done = false;

  bool is_send() const { return signature.kind == Kind::kSend; }

  uint64_t number = 0;  // of a large send, for this sender
  size_t moved = 0;     // bytes of a large message so far
  bool accepted = false;  // a large send: its receive is posted
  uint64_t peer_address = 0;  // of a lent message: the peer's buffer, 0 where this rank cannot reach it
};

}  // namespace ps
