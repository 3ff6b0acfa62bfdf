#include "host/shm/direct_all_reduce.h"

#include <algorithm>
#include <cstring>

#include "host/copy/copy.h"

namespace ps {
namespace {

// Summed into this rank's output and copied to the others' while it is in the cache.
constexpr size_t kChunkBytes = 32 << 10;
// Between two of them a failed group has its memory back.
constexpr size_t kTouchBytes = 1 << 20;
constexpr size_t kLine = 64;

}  // namespace

bool direct_all_reduce(Board& board, Direct& direct, const Call& call, uint64_t sequence) {
  const auto n = static_cast<size_t>(board.size());
  const size_t bytes = call.input.size(0);
  const size_t share = ((bytes + n - 1) / n + kLine - 1) / kLine * kLine;
  const size_t begin = std::min(share * static_cast<size_t>(board.rank()), bytes);
  const size_t end = std::min(begin + share, bytes);

  auto& [sources, scales] = board.operands();
  auto& [inputs, outputs] = board.buffers();
  for (int member = 0; member < board.size(); ++member) {
    const auto i = static_cast<size_t>(member);
    const bool own = member == board.rank();
    inputs[i] = own ? call.input.at(0) : direct.input(member);
    outputs[i] = own ? call.output.at(0) : direct.output(member);
    scales[i] = own ? call.scale : board.header(member, sequence).scale;  // as StagedOperation::scale
  }
  // A sum that is to leave the caches is made in one and copied out of it, also to this rank's output.
  const bool leaves = streams_outputs(2 * n * bytes);
  const size_t most = leaves ? board.sum().size() : kChunkBytes;
  const auto sum_part = [&](size_t from, size_t to) {
    for (size_t at = from; at < to; at += most) {
      const size_t chunk = std::min(most, to - at);
      for (size_t i = 0; i < n; ++i) sources[i] = inputs[i] + at;
      std::byte* const sum = leaves ? board.sum().data() : call.output.at(0) + at;
      call.kernel(sum, sources.data(), n, chunk / call.element, scales.data());
      for (size_t i = 0; i < n; ++i) {
        if (outputs[i] + at == sum) continue;
        if (leaves) {
          copy(CopyTarget::kLargeOutput, outputs[i] + at, sum, chunk);
        } else {
          std::memcpy(outputs[i] + at, sum, chunk);
        }
      }
    }
  };
  for (size_t at = begin; at < end; at += kTouchBytes) {
    const size_t to = std::min(at + kTouchBytes, end);
    if (!direct.touch([&] { sum_part(at, to); })) return false;
  }
  return true;
}

}  // namespace ps
