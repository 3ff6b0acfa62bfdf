// The way of messages between two members that share memory: a ring in each direction, and what is lent beside them.
#pragma once

#include "host/message_path.h"
#include "host/shm/board.h"
#include "host/shm/message_ring.h"
#include "host/shm/shared_move.h"

namespace ps {

class RingPath final : public MessagePath {
 public:
  // `next_line`: told where the next entry to the peer will begin.
  RingPath(Board& board, int peer, std::atomic<const void*>& next_line);

  size_t most_payload() const override { return out_.most_payload(); }
  bool write(const Entry& entry) override {
    const bool is_written = out_.write(entry);
    next_line_.store(out_.next_line(), std::memory_order_relaxed);
    return is_written;
  }
  std::optional<Entry> front() override { return in_.front(); }
  bool pop() override { return in_.pop(); }
  void ring() override { board_.ring(peer_); }

  uint64_t lend(const std::byte* data, size_t bytes) override;
  bool move_out(const std::byte* from, uint64_t to, size_t bytes) override;
  bool move_in(std::byte* to, uint64_t from, size_t bytes) override;

 private:
  template <class Move>
  bool move(SharedMove& moves, size_t bytes, bool may_move, Move&& move);

  Board& board_;
  const int peer_;
  std::atomic<const void*>& next_line_;
  LendableBuffers lendable_;
  MessageRing out_;
  MessageRing in_;
  SharedMove moves_out_;
  SharedMove moves_in_;
};

}  // namespace ps
