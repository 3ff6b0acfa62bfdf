// Where a one-shot call puts what a rank contributes: into its header line where it fits, else into its slot; columns one
// behind the other.
#pragma once

#include <cstddef>

#include "host/call.h"
#include "host/copy/copy_few.h"
#include "host/shm/board.h"

namespace ps {

class StagedBlocks {
 public:
  StagedBlocks() = default;
  // `bytes`: what bytes_of() says.
  StagedBlocks(const Board& board, const Call& call, uint64_t sequence, size_t bytes)
      : sequence_(sequence),
        bytes_(bytes),
        column_offset_(call.columns ? packed_offset(call.input, board.rank()) : 0),
        is_inline_(bytes <= sizeof(Header::payload)) {}

  // The most that any member stages; the same number on all of them.
  static size_t bytes_of(const Call& call, int size) {
    // all_gather_v: everyone knows all sizes, and the largest decides for all.
    if (!call.output.are_equal() && !call.columns) return call.output.largest();
    return call.columns ? packed_offset(call.input, size) : call.input.bytes;
  }

  size_t bytes() const { return bytes_; }
  // Of this rank.
  void stage(const Board& board, const Call& call) const {
    if (!is_inline_ || call.columns || !call.input.are_equal()) return stage_all(board, call);
    copy_few(place(board, board.rank()), call.input.at(0), call.input.bytes);
  }
  // What another member has staged for this rank.
  const std::byte* from(const Board& board, int member) const { return place(board, member) + column_offset_; }

 private:
  // Where the column for `reader` begins.
  static size_t packed_offset(const Blocks& blocks, int reader) {
    size_t offset = blocks.bytes * static_cast<size_t>(reader);
    for (int i = 0; i < reader && !blocks.are_equal(); ++i) offset += blocks.size(i);
    return offset;
  }
  void stage_all(const Board& board, const Call& call) const;
  std::byte* place(const Board& board, int member) const {
    return is_inline_ ? board.header(member, sequence_).payload : board.slot(member, sequence_);
  }

  uint64_t sequence_ = 0;
  size_t bytes_ = 0;
  size_t column_offset_ = 0;  // of this rank's column
  bool is_inline_ = true;
};

}  // namespace ps
