#include "host/shm/ring_path.h"

#include "base/process_memory.h"
#include "host/shm/touch.h"

namespace ps {
namespace {

std::byte* ring_of(Board& board, int from, int to) { return board.messages(from, to) + sizeof(SharedMove::Counters); }

SharedMove::Counters& counters(Board& board, int from, int to) {
  return *reinterpret_cast<SharedMove::Counters*>(board.messages(from, to));
}

}  // namespace

RingPath::RingPath(Board& board, int peer, std::atomic<const void*>& next_line)
    : board_(board),
      peer_(peer),
      next_line_(next_line),
      lendable_(board.peer_memory() != nullptr && board.peer_memory()->pays() ? board.peer_memory() : nullptr),
      out_(ring_of(board, board.rank(), peer), board.geometry().message_bytes - sizeof(SharedMove::Counters)),
      in_(ring_of(board, peer, board.rank()), board.geometry().message_bytes - sizeof(SharedMove::Counters)),
      moves_out_(counters(board, board.rank(), peer), true),
      moves_in_(counters(board, peer, board.rank()), false) {
  board.take_messages(peer);
  out_.open();
}

uint64_t RingPath::lend(const std::byte* data, size_t bytes) {
  return lendable_.has(data, bytes) ? address_of(data) : 0;
}

template <class Move>
bool RingPath::move(SharedMove& moves, size_t bytes, bool may_move, Move&& move) {
  const auto& taken_back = board_.lines(peer_).retracted_messages.value;
  bool any = false;  // also what was refused: who has taken back waits for the end of each attempt
  const bool done = moves.run(bytes, may_move, [&](size_t at, size_t part) {
    bool is_there = any = true;
    const bool touched = touch(board_.own().touching_messages.value, [&] { return taken_back.load(std::memory_order_seq_cst) != 0; },
                               [&] { is_there = move(at, part); });
    return touched && is_there;
  });
  if (any) ring();
  return done;
}

bool RingPath::move_out(const std::byte* from, uint64_t to, size_t bytes) {
  return move(moves_out_, bytes, to != 0, [&](size_t at, size_t part) {
    return board_.peer_memory()->write(peer_, to + at, from + at, part);
  });
}

bool RingPath::move_in(std::byte* to, uint64_t from, size_t bytes) {
  return move(moves_in_, bytes, from != 0, [&](size_t at, size_t part) {
    return board_.peer_memory()->read(peer_, to + at, from + at, part);
  });
}

}  // namespace ps
