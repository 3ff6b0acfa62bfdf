// Pieces of a call's own buffers on their way to one peer or from it, on a channel of their own: without a copy and without
// headers, as both sides know the order and the sizes of the pieces from the call that they have agreed on. The transport
// sees the caller's memory only while the call is in flight: it ends when all its pieces have, or gives them up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "host/net/transport.h"

namespace ps {

class PieceStream {
 public:
  enum class Way { kOut, kIn };
  // Pieces under way at once: one that is copied by either end's system, one between, and one that is waited for.
  static constexpr uint64_t kWindow = 4;

  PieceStream(Transport& transport, int peer, uint64_t channel, Way way, size_t piece_bytes)
      : transport_(transport), peer_(peer), channel_(channel), way_(way), piece_bytes_(piece_bytes) {}

  // A new call's pieces are counted from 0. When all of the last one are done.
  void begin() { posted_ = done_ = 0; }
  uint64_t posted() const { return posted_; }
  // How many are complete, in order. Of a lost path nothing more is heard.
  uint64_t done();
  bool has_room() { return posted_ - done() < kWindow; }
  // When there is room. The memory must stay until the piece is done or given up.
  void post(std::byte* data, size_t bytes);
  // The stream's own memory for a piece, which was that of `piece - kWindow`.
  std::byte* slot(uint64_t piece);
  // Gives up what is under way: no memory of it is touched afterwards.
  void abandon();

 private:
  Transport& transport_;
  const int peer_;
  const uint64_t channel_;
  const Way way_;
  const size_t piece_bytes_;
  psPluginTicket tickets_[kWindow] = {};
  uint64_t posted_ = 0;
  uint64_t done_ = 0;
  std::unique_ptr<std::byte[]> slots_;
};

}  // namespace ps
