#include "host/shm/one_shot.h"

#include <algorithm>
#include <cstring>

namespace ps {
namespace {

// Where the column for `reader` begins when columns are packed.
size_t packed_offset(const Blocks& blocks, int reader) {
  if (blocks.sizes.empty()) return blocks.bytes * static_cast<size_t>(reader);
  size_t offset = 0;
  for (int i = 0; i < reader; ++i) offset += blocks.size(i);
  return offset;
}

void copy_bytes(std::byte* to, const std::byte* from, size_t bytes) {
  if (bytes > 0 && to != from) std::memcpy(to, from, bytes);
}

}  // namespace

size_t OneShot::staged_bytes(const Call& call, int size) {
  if (call.columns) return packed_offset(call.input, size);
  // all_gather_v: everyone knows all sizes, and the largest decides for all.
  if (!call.output.sizes.empty()) return *std::max_element(call.output.sizes.begin(), call.output.sizes.end());
  return call.input.bytes;
}

OneShot::OneShot(Board& board, Call call, uint64_t sequence) : StagedOperation(board, std::move(call), sequence) {
  inline_ = staged_bytes(call_, board_.size()) <= sizeof(Header::payload);
  column_offset_ = call_.columns ? packed_offset(call_.input, board_.rank()) : 0;
}

bool OneShot::step() {
  if (!published_) {
    if (!may_publish()) return false;
    if (stages()) stage();
    publish();
  }
  if (!met(false)) return false;
  if (reads()) copy_in();
  return true;
}

void OneShot::stage() {
  Header& header = board_.header(board_.rank(), sequence_);
  std::byte* to = inline_ ? header.payload : board_.slot(board_.rank(), sequence_);
  if (!call_.columns) {
    copy_bytes(to, call_.input.at(0), call_.input.size(0));
    return;
  }
  for (int reader = 0; reader < board_.size(); ++reader) {
    const size_t bytes = call_.input.size(reader);
    if (reader != board_.rank()) copy_bytes(to, call_.input.at(reader), bytes);
    to += bytes;
  }
}

const std::byte* OneShot::source(int member) const {
  if (member == board_.rank()) return call_.input.at(call_.input_block(member));
  const Header& header = board_.header(member, sequence_);
  return (inline_ ? header.payload : board_.slot(member, sequence_)) + column_offset_;
}

void OneShot::copy_in() {
  if (call_.kernel == nullptr) {
    for (int member = 0; member < board_.size(); ++member) {
      if (call_.stages(member)) copy_bytes(call_.output.at(member), source(member), call_.output.size(member));
    }
    return;
  }
  auto& [sources, scales] = board_.operands();
  for (int member = 0; member < board_.size(); ++member) {
    sources[static_cast<size_t>(member)] = source(member);
    scales[static_cast<size_t>(member)] = board_.header(member, sequence_).scale;
  }
  const size_t count = call_.output.size(0) / call_.element;
  if (count > 0) call_.kernel(call_.output.at(0), sources.data(), sources.size(), count, scales.data());
}

}  // namespace ps
