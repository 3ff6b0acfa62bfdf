// The direct path of a collective: input that lies in memory which all members reach is read where it is, and the sums of
// an all_reduce are written straight into every member's output. Each rank says in its header what it lends, so members
// need not agree beforehand, and a rank whose buffers nobody reaches is served as usual. Around a root, where one rank
// would read for all or all from one, readers lend their output as well: then a block's source writes a part of it there.
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
  // Below this many staged bytes copying is faster: where ranks share CPUs, to wait for those who still use what is lent may
  // take a turn of everybody. The same on all members.
  static size_t least_bytes(const Board& board) { return board.is_crowded() ? 32 << 10 : 8 << 10; }

  // Where a header says what is lent: in the line of the flag, or in its second one where the first has an Opening.
  enum class Line { kFlag, kSecond };

  // `lends`: what this rank has announced already.
  Direct(Board& board, const Call& call, uint64_t sequence, Line line, bool lends = false)
      : board_(board), call_(call), sequence_(sequence), line_(line), lends_(lends) {}

  // What this rank can lend of the call, region 0: nothing.
  Lent find() const;
  // Writes that into its header, before that is published; in one shot after what it stages, which otherwise waits for the
  // header's line.
  void announce(const Lent& found);

  // After that, where this rank reads: its output to its sources. `root_share`: see Opening.
  void announce_output(uint32_t root_share);

  // Of this rank, and of members that have arrived: whether it lends its input (in an all_reduce its output too).
  bool lends(int member) const { return member == board_.rank() ? lends_ : says(member); }
  bool lends_own() const { return lends_; }
  // Whether every member does.
  bool everything() const;
  // Nobody will use what this rank lends.
  void withdraw() { lends_ = false; }

  // Of a member that lends it: the block of its input that is for this rank.
  const std::byte* input(int member) const;
  std::byte* output(int member) const;
  // Whether the block between this rank and a member, one of them the root, is moved by both.
  bool is_shared(int member) const;
  // Of a reader with which one is: a part of its output.
  std::byte* output_at(int member, size_t at, size_t bytes) const;

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

  // Whether others lend what this rank reads, or writes a part of. That it reads it where it lies does not follow in an
  // all_reduce, where everything() decides.
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
  Lent& lent(int member) const {
    return line_ == Line::kFlag ? header(member).lent : header(member).lent_beside_opening;
  }
  bool says(int member) const {
    if (line_ == Line::kFlag) return header(member).lent.input.region != 0;
    return (header(member).opening.lends & Opening::kLendsInput) != 0;
  }
  bool lends_output(int member) const {
    if (member == board_.rank()) return lends_output_;
    return (header(member).opening.lends & Opening::kLendsOutput) != 0;
  }
  // Whether this rank uses what `member` lends.
  bool uses(int member) const;
  // Whether `member` may still use what this rank lent.
  bool is_using(int member) const;

  Board& board_;
  const Call& call_;
  uint64_t sequence_;
  Line line_;
  bool lends_;
  bool lends_output_ = false;
};

}  // namespace ps
