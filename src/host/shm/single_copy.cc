#include "host/shm/single_copy.h"

#include <algorithm>
#include <cstring>

#include "base/process_memory.h"
#include "host/copy/copy.h"
#include "host/shm/share.h"
#include "host/shm/touch.h"

namespace ps {
namespace {

// Between two of them a failed group has its memory back.
constexpr size_t kChunk = 256 << 10;

}  // namespace

bool SingleCopy::can(Kind kind) {
  switch (kind) {
    case Kind::kBroadcast:
    case Kind::kAllGather:
    case Kind::kGather:
    case Kind::kScatter:
    case Kind::kAllToAll: return true;
    default: return false;
  }
}

SingleCopy::SingleCopy(Board& board, Call&& call, uint64_t sequence)
    : StagedOperation(board, std::move(call), sequence), output_(call_.output.base) {}

std::optional<Place> SingleCopy::find(const std::byte* data, size_t bytes) {
  const Place place = board_.regions().place(data, bytes, call_.signature.group);
  if (place.region != 0) return place;
  return board_.lendable().has(data, bytes) ? std::optional(Place{0, address_of(data)}) : std::nullopt;
}

void SingleCopy::lend() {
  Header& own = header(board_.rank());
  const bool is_busy = copies_own() && block_bytes(board_.rank(), board_.rank()) >= kLargeOwnBlock;
  own.opening.root_share = is_busy ? 0 : static_cast<uint32_t>(board_.root_share(!call_.all_stage));
  if (stages()) {
    const size_t bytes = call_.input.extent(board_.size());
    const bool is_overwritten = reads() && call_.columns && call_.all_stage && call_.input.base == call_.output.base;
    // Without a root nobody reads it but this rank.
    const std::optional<Place> place = has_root() ? find(call_.input.base, bytes) : Place{};
    if (!place || is_overwritten) {
      input_bounce_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      std::memcpy(input_bounce_.get(), call_.input.base, bytes);
      call_.input.base = input_bounce_.get();
    }
    own.lent_beside_opening.input = place.value_or(Place{0, address_of(call_.input.base)});
  }
  if (reads()) {
    const size_t bytes = call_.output.extent(board_.size());
    const std::optional<Place> place = find(call_.output.base, bytes);
    if (!place) {
      output_bounce_ = std::make_unique_for_overwrite<std::byte[]>(bytes);
      call_.output.base = output_bounce_.get();
    }
    own.lent_beside_opening.output = place.value_or(Place{0, address_of(call_.output.base)});
  }
}

size_t SingleCopy::block_bytes(int source, int reader) const {
  return source == board_.rank() ? call_.input.size(call_.input_block(reader))
                                 : call_.output.size(call_.output_block(source));
}

size_t SingleCopy::pushed(int source, int reader) const {
  const size_t bytes = block_bytes(source, reader);
  if (!has_root()) return bytes;
  return source_part(bytes, header(call_.root()).opening.root_share, source == call_.root());
}

void SingleCopy::plan() {
  const int size = board_.size();
  const int rank = board_.rank();
  // Its own block first: this rank's copy fetches lines well ahead, the kernel's only within a page, and where all get the
  // same block it finds them in the cache then.
  if (const size_t own = copies_own() ? block_bytes(rank, rank) : 0; own > 0) parts_.push_back({rank, true, 0, own});
  for (int step = 1; step < size; ++step) {
    // Each rank begins with another member.
    const int member = (rank + step) % size;
    if (stages() && call_.reads(member)) {
      if (const size_t end = pushed(rank, member); end > 0) parts_.push_back({member, true, 0, end});
    }
    if (reads() && call_.stages(member)) {
      const size_t begin = pushed(member, rank);
      const size_t end = block_bytes(member, rank);
      if (begin < end) parts_.push_back({member, false, begin, end});
    }
  }
}

bool SingleCopy::is_direct() const {
  for (int member = 0; member < board_.size(); ++member) {
    if (member != board_.rank() && !needs(member, true)) continue;
    if (has_root() && call_.stages(member) && header(member).lent_beside_opening.input.region == 0) return false;
    if (call_.reads(member) && header(member).lent_beside_opening.output.region == 0) return false;
  }
  return true;
}

bool SingleCopy::may_move() const {
  return !has_root() || board_.rank() == call_.root() ||
         board_.lines(call_.root()).begun.value.load(std::memory_order_seq_cst) >= sequence_;
}

bool SingleCopy::step() {
  if (!published_) {
    if (!may_publish()) return false;
    lend();
    publish();
  }
  if (!met_) {
    if (!met(true)) return false;
    met_ = true;
    board_.paths().add(call_.kind(), is_direct() ? Path::kDirect : Path::kSingleCopy);
    plan();
    if (has_root() && board_.rank() == call_.root()) board_.store(board_.own().begun.value, sequence_);
  }
  if (!may_move()) return false;
  while (!parts_.empty()) {
    if (!move_chunk()) return false;
  }
  const int late = blocked_on();
  if (!told_) {
    board_.store(board_.own().done.value, sequence_);
    if (has_root() && board_.rank() == call_.root() && header(board_.rank()).opening.root_share != 0) {
      board_.learn_root_share(!call_.all_stage, late < 0);
    }
  }
  told_ = true;
  if (late >= 0) return false;
  if (output_bounce_) std::memcpy(output_, output_bounce_.get(), call_.output.extent(board_.size()));
  return true;
}

bool SingleCopy::move_chunk() {
  next_ %= parts_.size();
  Part& part = parts_[next_];
  const size_t bytes = std::min(kChunk, part.end - part.begin);
  const auto taken_back = [&] {
    return part.member != board_.rank() && header(part.member).retracted.load(std::memory_order_seq_cst) != 0;
  };
  bool is_there = true;
  const bool touched =
      touch(board_.own().touching.value, taken_back, [&] { is_there = move(part, part.begin, bytes); });
  if (!touched || !is_there) {
    gone_ = part.member;
    board_.ring(part.member);
    return false;
  }
  part.begin += bytes;
  if (part.begin < part.end) {
    ++next_;
  } else {
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(next_));
  }
  return true;
}

bool SingleCopy::move(const Part& part, size_t at, size_t bytes) const {
  const int rank = board_.rank();
  const PeerMemory& memory = *board_.peer_memory();
  if (part.is_push) {
    const std::byte* const from = call_.input.at(call_.input_block(part.member)) + at;
    if (part.member == rank) {
      copy(output_of(call_.output.extent(board_.size())), call_.output.at(call_.output_block(rank)) + at, from, bytes);
      return true;
    }
    // Where the block lies in the reader's output; a root has them one behind the other.
    const size_t block = call_.all_read ? (call_.all_stage ? call_.output.offset(rank) : 0)
                                        : block_bytes(rank, part.member) * static_cast<size_t>(rank);
    const Place& place = header(part.member).lent_beside_opening.output;
    if (place.region == 0) return memory.write(part.member, place.offset + block + at, from, bytes);
    copy(output_of(part.end), board_.regions().at(part.member, {place.region, place.offset + block + at}, bytes), from, bytes);
    return true;
  }
  std::byte* const to = call_.output.at(call_.output_block(part.member)) + at;
  const size_t block = call_.columns ? block_bytes(part.member, rank) * static_cast<size_t>(rank) : 0;
  const Place& place = header(part.member).lent_beside_opening.input;
  if (place.region == 0) return memory.read(part.member, to, place.offset + block + at, bytes);
  copy(output_of(part.end), to, board_.regions().at(part.member, {place.region, place.offset + block + at}, bytes), bytes);
  return true;
}

bool SingleCopy::copies_own() const {
  const int rank = board_.rank();
  return stages() && reads() && call_.input.at(call_.input_block(rank)) != call_.output.at(call_.output_block(rank));
}

int SingleCopy::blocked_on() const {
  for (int member = 0; member < board_.size(); ++member) {
    if (needs(member, true) && board_.lines(member).done.value.load(std::memory_order_seq_cst) < sequence_) return member;
  }
  return -1;
}

std::vector<int> SingleCopy::awaited() const {
  if (!met_) return StagedOperation::awaited();
  if (gone_ >= 0) return {gone_};
  const int member = may_move() ? blocked_on() : call_.root();
  return member < 0 ? std::vector<int>{} : std::vector<int>{member};
}

std::vector<int> SingleCopy::retract() {
  header(board_.rank()).retracted.store(1, std::memory_order_seq_cst);
  return board_.touchers(&MemberLines::touching, [this](int member) { return needs(member, true); });
}

}  // namespace ps
