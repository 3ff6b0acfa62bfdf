#include "host/shm/pipeline.h"

#include <algorithm>
#include <numeric>

#include "host/pair_sizes.h"
#include "host/shm/share.h"

namespace ps {

namespace {

// Enough pieces that copying in and out overlap, and large enough that their flags cost little. Where the ring holds all of
// them nobody waits for room; beyond this size more of them are worth that. A ring of larger pieces than the largest pushes
// buffers out of the caches (a broadcast of 16 MiB takes 0.5 to 0.8 of the time with these as with 256 KiB on an AMD Zen 5
// with 32 MiB in the last).
constexpr size_t kLeastPiece = 16 << 10;
constexpr size_t kRoomyPiece = 64 << 10;
constexpr size_t kMostPiece = 96 << 10;
constexpr size_t kPieces = 8;
// Below that, ranks that share CPUs lose more by waiting for each other's turns than two at work gain.
constexpr size_t kLeastCrowdedShare = 1 << 20;
// Sums that leave the caches while they are made, which pays sooner than for copies.
constexpr size_t kLargeSums = 2 << 20;

size_t piece_of(size_t bytes) {
  const size_t in_ring = std::clamp(bytes / Geometry::kRing, kLeastPiece, kRoomyPiece);
  return std::clamp(bytes / kPieces, in_ring, kMostPiece) / 64 * 64;
}

// The largest block of the call, which every member knows; SIZE_MAX where none does.
size_t block_bytes(const Call& call) {
  if (call.uneven) return SIZE_MAX;
  for (const Blocks* blocks : {&call.input, &call.output}) {
    if (!blocks->are_equal()) return blocks->largest();
  }
  return std::max(call.input.bytes, call.output.bytes);
}

size_t output_bytes(const Call& call, int size) {
  if (!call.output.are_equal()) {
    const std::vector<size_t>& sizes = call.output.lists->sizes;
    return std::accumulate(sizes.begin(), sizes.end(), size_t{0});
  }
  return call.output.bytes * (call.kernel == nullptr && call.all_stage ? static_cast<size_t>(size) : 1);
}

}  // namespace

Pipeline::Pipeline(Board& board, Call&& call, uint64_t sequence) : RingOperation(board, std::move(call), sequence) {
  const size_t room = board_.geometry().piece_bytes;
  const size_t most = call_.columns ? room / static_cast<size_t>(board_.size()) / 64 * 64 : room;
  unit_ = std::min(most, piece_of(block_bytes(call_)));
  for (int member = 0; member < board_.size(); ++member) {
    if (member == board_.rank()) continue;
    if (stages() && call_.reads(member)) rounds_out_ = std::max(rounds_out_, rounds(outgoing(member)));
    if (reads() && call_.stages(member)) rounds_in_ = std::max(rounds_in_, rounds(incoming(member)));
  }
  if (!reads()) return;
  const size_t output = output_bytes(call_, board_.size());
  target_ = streams_sums() && output >= kLargeSums ? CopyTarget::kLargeOutput : output_of(output);
  if (!stages() || call_.kernel != nullptr) return;
  const int rank = board_.rank();
  if (call_.input.at(call_.input_block(rank)) != call_.output.at(call_.output_block(rank))) rounds_own_ = rounds(incoming(rank));
}

Pipeline::Pages Pipeline::pages() const {
  // A whole fills its pieces from their beginnings, columns stand all over one.
  if (rounds_out_ == 1 && !call_.columns) return {call_.input.size(0), 0};
  return {std::min<size_t>(rounds_out_, Geometry::kRing) * piece_bytes(), 0};
}

size_t Pipeline::incoming(int member) const { return call_.output.size(call_.output_block(member)); }

size_t Pipeline::outgoing(int member) const { return call_.input.size(call_.input_block(member)); }

// As in a single copy around a root (single_copy.h), of what lies in memory that all members have mapped.
std::optional<uint32_t> Pipeline::root_share() const {
  const bool has_root = !call_.all_stage || !call_.all_read;
  const bool are_alike = !call_.uneven && call_.input.are_equal() && call_.output.are_equal();
  if (!has_root || !are_alike || call_.kernel != nullptr) return std::nullopt;
  if (board_.is_crowded() && block_bytes(call_) < kLeastCrowdedShare) return std::nullopt;
  const bool is_busy = rounds_own_ > 0 && incoming(board_.rank()) >= kLargeOwnBlock;
  return is_busy ? 0 : static_cast<uint32_t>(board_.root_share(!call_.all_stage));
}

size_t Pipeline::pushed(int source, int reader) const {
  if (!shares_ || !direct_.is_shared(source == board_.rank() ? reader : source)) return 0;
  const size_t bytes = source == board_.rank() ? outgoing(reader) : incoming(source);
  return source_part(bytes, board_.header(call_.root(), sequence_).opening.root_share, source == call_.root());
}

void Pipeline::plan_shared() {
  shared_is_planned_ = true;
  const int rank = board_.rank();
  for (int member = 0; member < board_.size(); ++member) shares_ = shares_ || direct_.is_shared(member);
  if (!shares_) return;
  uint64_t pushed_to_all = rounds_in_;  // whole rounds of which there is nothing to be read
  for (int member = 0; member < board_.size(); ++member) {
    if (member == rank) continue;
    if (stages() && call_.reads(member)) rounds_to_push_ = std::max(rounds_to_push_, rounds(pushed(rank, member)));
    if (reads() && call_.stages(member)) pushed_to_all = std::min(pushed_to_all, pushed(member, rank) / unit_);
  }
  rounds_read_ = pushed_to_all;
  // Who writes to a root has compared its call with the root's alone.
  if (rank == call_.root() && call_.all_stage) board_.store(board_.own().begun.value, sequence_);
}

bool Pipeline::may_push() {
  const int root = call_.root();
  if (board_.rank() == root || board_.lines(root).begun.value.load(std::memory_order_seq_cst) >= sequence_) return true;
  blocked_on_ = root;
  return false;
}

void Pipeline::push_round(uint64_t round) const {
  const int rank = board_.rank();
  const size_t begin = round * unit_;
  for (int member = 0; member < board_.size(); ++member) {
    if (member == rank || !call_.reads(member)) continue;
    const size_t end = std::min(begin + unit_, pushed(rank, member));
    if (begin >= end) continue;
    // A root has the blocks one behind the other.
    const size_t block = call_.all_read ? 0 : outgoing(member) * static_cast<size_t>(rank);
    copy(output_of(outgoing(member)), direct_.output_at(member, block + begin, end - begin),
         call_.input.at(call_.input_block(member)) + begin, end - begin);
  }
}

void Pipeline::end_lending() {
  if (lending_ended_ || !direct_.uses_lent()) return;
  lending_ended_ = true;
  direct_.done();
  const bool is_root = shares_ && board_.rank() == call_.root();
  if (!is_root || board_.header(board_.rank(), sequence_).opening.root_share == 0) return;
  board_.learn_root_share(!call_.all_stage, direct_.released());
}

bool Pipeline::step() {
  for (;;) {
    const bool begun = RingOperation::begun();
    if (published_ && !uses_ring()) rounds_out_ = 0;
    bool moved = false;
    if (rounds_staged_ < rounds_out_ && may_stage()) {
      stage_round(rounds_staged_++);
      moved = true;
    }
    // Where the root alone stages, a reader compares its call with the root's alone. So it gets nothing before the root
    // has compared all of them.
    if (rounds_told_ < rounds_staged_ && (begun || call_.all_stage)) set_staged(rounds_told_ = rounds_staged_);
    if (!begun) {
      if (!moved) return false;
      continue;
    }
    if (!shared_is_planned_) plan_shared();
    if (rounds_read_ < rounds_in_ && is_compared() && may_read()) {
      if (!direct_.uses_lent()) {
        read_round(rounds_read_);
      } else if (!direct_.touch([this] { read_round(rounds_read_); })) {
        blocked_on_ = direct_.takers_back().front();
        return false;
      }
      set_consumed(++rounds_read_);
      moved = true;
    }
    if (rounds_pushed_ < rounds_to_push_ && may_push()) {
      if (!direct_.touch([this] { push_round(rounds_pushed_); })) {
        blocked_on_ = direct_.takers_back().front();
        return false;
      }
      ++rounds_pushed_;
      moved = true;
    }
    // What was just staged is still in the cache.
    if (own_rounds_done_ < rounds_own_ && (own_rounds_done_ < rounds_staged_ || rounds_staged_ == rounds_out_)) {
      copy_own_round(own_rounds_done_++);
      moved = true;
    }
    if (moved) continue;
    if (rounds_staged_ < rounds_out_ || rounds_read_ < rounds_in_ || rounds_pushed_ < rounds_to_push_) return false;
    end_lending();
    return ended();
  }
}

void Pipeline::copy_own_round(uint64_t round) const {
  const int rank = board_.rank();
  const size_t begin = round * unit_;
  const size_t bytes = std::min(unit_, incoming(rank) - begin);
  copy(target_, call_.output.at(call_.output_block(rank)) + begin,
       call_.input.at(call_.input_block(rank)) + begin, bytes);
}

bool Pipeline::may_stage() {
  if (!has_ring()) return false;
  if (rounds_staged_ < Geometry::kRing) return true;
  if (!met_) return false;
  const uint64_t needed = rounds_staged_ - Geometry::kRing + 1;
  for (int member = 0; member < board_.size(); ++member) {
    if (member == board_.rank() || !call_.reads(member)) continue;
    const uint64_t all_of_it = rounds(call_.input.size(call_.input_block(member)));
    if (consumed(member) < std::min(needed, all_of_it)) {
      blocked_on_ = member;
      return false;
    }
  }
  return true;
}

bool Pipeline::is_compared() {
  if (call_.all_stage || !reads_in_place(call_.root())) return true;
  for (; next_to_compare_ < board_.size(); ++next_to_compare_) {
    if (next_to_compare_ == board_.rank() || board_.arrived(next_to_compare_, sequence_, call_.signature)) continue;
    blocked_on_ = next_to_compare_;
    return false;
  }
  return true;
}

bool Pipeline::may_read() const {
  // In place, an output block lies over an input block that must have been staged before.
  if (rounds_read_ >= rounds_staged_ && rounds_staged_ < rounds_out_) return false;
  for (int member = 0; member < board_.size(); ++member) {
    if (member == board_.rank() || !call_.stages(member) || reads_in_place(member)) continue;
    if (rounds_read_ < rounds(incoming(member)) && staged(member) <= rounds_read_) {
      blocked_on_ = member;
      return false;
    }
  }
  return true;
}

void Pipeline::stage_round(uint64_t round) const {
  std::byte* piece = board_.piece(board_.rank(), round, piece_bytes());
  const size_t begin = round * unit_;
  const auto stage = [&](int block, std::byte* to) {
    const size_t bytes = call_.input.size(block);
    if (begin < bytes) copy(CopyTarget::kShared, to, call_.input.at(block) + begin, std::min(unit_, bytes - begin));
  };
  if (!call_.columns) {
    stage(0, piece);
    return;
  }
  for (int reader = 0; reader < board_.size(); ++reader) {
    if (reader != board_.rank()) stage(reader, piece + static_cast<size_t>(reader) * unit_);
  }
}

const std::byte* Pipeline::source(int member, uint64_t round) const {
  if (member == board_.rank()) return call_.input.at(call_.input_block(member)) + round * unit_;
  if (reads_in_place(member)) return direct_.input(member) + round * unit_;
  return board_.piece(member, round, piece_bytes()) + (call_.columns ? static_cast<size_t>(board_.rank()) * unit_ : 0);
}

void Pipeline::read_round(uint64_t round) const {
  const size_t begin = round * unit_;
  if (call_.kernel == nullptr) {
    for (int member = 0; member < board_.size(); ++member) {
      if (member == board_.rank() || !call_.stages(member)) continue;
      const size_t from = std::max(begin, pushed(member, board_.rank()));
      const size_t end = std::min(begin + unit_, incoming(member));
      if (from < end) copy(target_, call_.output.at(member) + from, source(member, round) + (from - begin), end - from);
    }
    return;
  }
  for (int member = 0; member < board_.size(); ++member) set_operand(member, source(member, round));
  const size_t bytes = std::min(unit_, call_.output.size(0) - begin);
  reduce_to(target_, call_.output.at(0) + begin, bytes);
}

// Where only the two ranks of a pair know a size, each rank's slot has what it sends to everyone, then what it expects
// from everyone. A rank compares all pairs whose slots it may read, not only its own: else it could write output before
// it learns that others disagree.
void Pipeline::stage_slot() {
  if (!call_.uneven) return;
  uint64_t* sizes = pair_sizes(board_.rank());
  for (int other = 0; other < board_.size(); ++other) {
    const bool sends = stages() && call_.reads(other);
    const bool expects = reads() && call_.stages(other);
    sizes[other] = sends ? call_.input.size(call_.input_block(other)) : 0;
    sizes[board_.size() + other] = expects ? incoming(other) : 0;
  }
}

void Pipeline::check_slots() {
  if (!call_.uneven) return;
  const auto met = [this](int member) {
    return member == board_.rank() || (reads() && call_.stages(member)) || (stages() && call_.reads(member));
  };
  for (int from = 0; from < board_.size(); ++from) {
    if (!met(from) || !call_.stages(from)) continue;
    for (int to = 0; to < board_.size(); ++to) {
      if (to == from || !met(to) || !call_.reads(to)) continue;
      check_pair_sizes(call_, from, to, pair_sizes(from)[to], pair_sizes(to)[board_.size() + from]);
    }
  }
}

}  // namespace ps
