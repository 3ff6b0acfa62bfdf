// The direct path of a collective: input that lies in memory which all members reach is read where it is, and the sums of
// an all_reduce are written straight into every member's output. Each rank says in its header what it lends, so members
// need not agree beforehand, and a rank whose buffers nobody reaches is served as usual.
//
// Whoever lends a buffer may not return before its users have done with it: each publishes the last operation in which
// it has used what others lent to the end.
//
// Nor may it return from one that has failed while somebody is in its memory, so it takes back what it lent (touch.h): it
// says so in its header.
#pragma once

#include <vector>

#include "host/call.h"
#include "host/shm/board.h"
#include "host/shm/touch.h"

namespace ps {

class Direct {
 public:
  // Below this many staged bytes copying is faster.
  static constexpr size_t kLeastBytes = 8 << 10;

  Direct(Board& board, const Call& call, uint64_t sequence);

  // Writes into this rank's header what it lends, or that it lends nothing; before that is published.
  void announce();
  static void announce_none(const Board& board, uint64_t sequence) {
    board.header(board.rank(), sequence).opening.lends = 0;
  }

  // Of this rank, and of members that have arrived: whether it lends its input (in an all_reduce its output too).
  bool lends(int member) const { return lends(board_, member, sequence_); }
  static bool lends(const Board& board, int member, uint64_t sequence) {
    return board.header(member, sequence).opening.lends != 0;
  }
  bool lends_own() const { return lends_; }
  // Whether every member does.
  bool everything() const;
  // Nobody will use what this rank lends.
  void withdraw() { lends_ = false; }

  // Of a member that lends it: the block of its input that is for this rank.
  const std::byte* input(int member) const;
  std::byte* output(int member) const;

  // Calls `use`, which touches what others lend. False, and it is not called, where one of them has taken that back:
  // then the operation will not complete.
  template <class Use>
  bool touch(Use&& use) {
    if (ps::touch(board_.own().touching.value, [this] { return !takers_back().empty(); }, use)) return true;
    board_.ring();
    return false;
  }
  // The members that have.
  std::vector<int> takers_back() const;
  // See Operation::retract.
  std::vector<int> retract();

  // Whether this rank reads what others lend. Not of an all_reduce, where everything() decides.
  bool uses_lent() const;
  // Whether that is all it reads, and it lends what it gives.
  bool uses_no_ring() const;
  // To be called when this rank no longer uses what others lent.
  void done();
  // True once nobody uses what this rank lent.
  bool released() const;
  // Who still does.
  std::vector<int> awaited() const;

 private:
  Header& header(int member) const { return board_.header(member, sequence_); }
  // Whether `member` may still use what this rank lent.
  bool is_using(int member) const;

  Board& board_;
  const Call& call_;
  uint64_t sequence_;
  bool lends_ = false;
};

}  // namespace ps
