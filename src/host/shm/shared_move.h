// Moves the lent messages of one pair of ranks in one direction, one after the other, each in parts: sender and receiver
// both take parts, so that a message is done as fast as two can, and by one alone where the other is busy elsewhere.
//
// Parts are numbered over all messages, and both sides know the same lengths in the same order, so three counters in
// shared memory are all there is: how many parts are taken, and how many each side has moved.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ps {

class SharedMove {
 public:
  struct Counters {
    alignas(128) std::atomic<uint64_t> taken;
    alignas(128) std::atomic<uint64_t> by_sender;
    alignas(128) std::atomic<uint64_t> by_receiver;
  };

  SharedMove(Counters& counters, bool is_sender)
      : counters_(counters), own_(is_sender ? counters.by_sender : counters.by_receiver) {}

  // Takes parts of the next message and calls move(begin, bytes) for each; true once all of it is moved, by whichever side.
  // Where `move` is false, its peer is no more, or takes its memory back, and the message will not be done.
  template <class Move>
  bool run(size_t bytes, bool may_move, Move&& move) {
    const size_t part = part_bytes(bytes);
    const uint64_t end = begin_ + (bytes + part - 1) / part;
    uint64_t taken = counters_.taken.load(std::memory_order_seq_cst);
    while (may_move && taken < end) {
      if (!counters_.taken.compare_exchange_weak(taken, taken + 1, std::memory_order_seq_cst)) continue;
      const size_t at = static_cast<size_t>(taken - begin_) * part;
      if (!move(at, bytes - at < part ? bytes - at : part)) return false;
      own_.store(own_.load(std::memory_order_relaxed) + 1, std::memory_order_seq_cst);
      taken = counters_.taken.load(std::memory_order_seq_cst);
    }
    if (moved() < end) return false;
    begin_ = end;
    return true;
  }

 private:
  static size_t part_bytes(size_t bytes);
  uint64_t moved() const {
    return counters_.by_sender.load(std::memory_order_seq_cst) + counters_.by_receiver.load(std::memory_order_seq_cst);
  }

  Counters& counters_;
  std::atomic<uint64_t>& own_;
  uint64_t begin_ = 0;  // the first part of the next message
};

}  // namespace ps
