#include "host/shm/staged_blocks.h"

#include "host/copy/copy.h"

namespace ps {

void StagedBlocks::stage_all(const Board& board, const Call& call) const {
  std::byte* to = place(board, board.rank());
  if (!call.columns) return copy(CopyTarget::kShared, to, call.input.at(0), call.input.size(0));
  for (int reader = 0; reader < board.size(); ++reader) {
    const size_t bytes = call.input.size(reader);
    if (reader != board.rank()) copy(CopyTarget::kShared, to, call.input.at(reader), bytes);
    to += bytes;
  }
}

}  // namespace ps
