// Moves the lent messages of one pair of ranks in one direction, one after the other, each in parts: sender and receiver
// both take parts, so that a message is done as fast as two can, and by one alone where the other is busy elsewhere.
//
// Bytes are counted over all messages, and both sides know the same lengths in the same order, so counters in shared memory
// are all there is: how many bytes are taken, and how many each side has moved. A message takes one part of each side, so
// that the kernel is not called more often than it must be, of lengths that share.h finds.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ps {

class SharedMove {
 public:
  struct Counters {
    alignas(128) std::atomic<uint64_t> taken;
    std::atomic<uint64_t> sender_share;  // 0: not learned yet
    alignas(128) std::atomic<uint64_t> by_sender;
    alignas(128) std::atomic<uint64_t> by_receiver;
  };

  SharedMove(Counters& counters, bool is_sender)
      : counters_(counters), is_sender_(is_sender), own_(is_sender ? counters.by_sender : counters.by_receiver) {}

  // Takes parts of the next message and calls move(begin, bytes) for each; true once all of it is moved, by whichever side.
  // Where `move` is false, its peer is no more, or takes its memory back, and the message will not be done.
  template <class Move>
  bool run(size_t bytes, bool may_move, Move&& move) {
    const uint64_t end = begin_ + bytes;
    uint64_t taken = counters_.taken.load(std::memory_order_seq_cst);
    while (may_move && taken < end) {
      const uint64_t part = std::min<uint64_t>(most_at_once(bytes), end - taken);
      if (!counters_.taken.compare_exchange_weak(taken, taken + part, std::memory_order_seq_cst)) continue;
      if (!move(static_cast<size_t>(taken - begin_), static_cast<size_t>(part))) return false;
      own_.store(own_.load(std::memory_order_relaxed) + part, std::memory_order_seq_cst);
      mine_ += part;
      // Alone it learns nothing about the other.
      if (mine_ < bytes && moved() == end) learn(bytes);
      taken = counters_.taken.load(std::memory_order_seq_cst);
    }
    if (moved() < end) return false;
    begin_ = end;
    mine_ = 0;
    return true;
  }

 private:
  uint64_t sender_share() const;
  size_t most_at_once(size_t bytes) const;
  // This side ended last.
  void learn(size_t bytes);
  uint64_t moved() const {
    return counters_.by_sender.load(std::memory_order_seq_cst) + counters_.by_receiver.load(std::memory_order_seq_cst);
  }

  Counters& counters_;
  const bool is_sender_;
  std::atomic<uint64_t>& own_;
  uint64_t begin_ = 0;  // of the next message
  uint64_t mine_ = 0;   // what this side moved of it
};

}  // namespace ps
