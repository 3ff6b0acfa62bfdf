#include "host/shm/board.h"

#include <algorithm>
#include <cstring>

#include "base/no_cancellation.h"
#include "control/memory_claim.h"

namespace ps {

namespace {

TransientVector<CpuPlace> places_of(const HostSegment& host, std::span<const LocalIndex> members) {
  TransientVector<CpuPlace> places;
  places.reserve(members.size());
  for (const LocalIndex member : members) places.push_back(host.roster().member(host.rank_of(member)).place);
  return places;
}

}  // namespace

Board::Board(const HostSegment& host, std::shared_ptr<SharedMemory> memory, const Geometry& geometry, int rank,
             std::vector<LocalIndex> members, bool crowded, std::optional<PeerMemory::Reach> reach, PathCounts& paths)
    : host_(host),
      memory_(std::move(memory)),
      geometry_(geometry),
      rank_(rank),
      members_(std::move(members)),
      regions_(rank),
      peer_memory_(reach ? std::optional<PeerMemory>(std::in_place, host, members_, *reach) : std::nullopt),
      lendable_(this->peer_memory()),
      root_shares_{kWholeShare / static_cast<uint64_t>(geometry.size), kWholeShare / static_cast<uint64_t>(geometry.size)},
      seen_(static_cast<size_t>(geometry.size), 0),
      is_crowded_(crowded),
      paths_(paths),
      domains_(places_of(host, members_)),
      family_(domains_.family(rank, 0)) {
  std::byte* base = memory_->data();
  failure_ = reinterpret_cast<FailureRecord*>(base);
  lines_ = reinterpret_cast<MemberLines*>(base + geometry_.lines_offset);
  slots_ = base + geometry_.slots_offset;
  rings_ = base + geometry_.rings_offset;
  shares_ = base + geometry_.shares_offset;
  messages_ = base + geometry_.messages_offset;
  // Every member reads all lines before it knows whether they were written.
  memory_->prefault(0, geometry_.slots_offset, "a group's lines");
  try {
    // Each member takes its own, so that pages lie near their writer. That there is room for all was asked before.
    memory_->prefault(static_cast<size_t>(slot(rank, 0) - base), 2 * geometry_.slot_bytes, "a group's slots");
  } catch (const Error& error) {
    record_failure(error);
    throw;
  }
}

void Board::make_operands() {
  operands_.scales.resize(static_cast<size_t>(geometry_.size));
  operands_.sources.resize(static_cast<size_t>(geometry_.size));  // last, as it is what is looked at
}

void Board::make_buffers() {
  buffers_.inputs.resize(static_cast<size_t>(geometry_.size));
  buffers_.outputs.resize(static_cast<size_t>(geometry_.size));
}

void Board::make_sum() { sum_ = std::make_unique<Sum>(); }

void Board::take_pages(const std::byte* begin, size_t bytes, const char* what) const {
  const NoCancellation no_cancellation;
  const MemoryClaim claim(host_, bytes, what);
  memory_->prefault(static_cast<size_t>(begin - memory_->data()), bytes, what);
}

void Board::take_ring(size_t piece_bytes, size_t share_bytes) {
  if (piece_bytes > ring_taken_) {
    take_pages(piece(rank_, 0, 0) + ring_taken_, piece_bytes - ring_taken_, "a large collective's ring");
    ring_taken_ = piece_bytes;
  }
  if (share_bytes > shares_taken_) {
    take_pages(share(rank_, 0) + shares_taken_, share_bytes - shares_taken_, "a large collective's ring");
    shares_taken_ = share_bytes;
  }
}

void Board::take_messages(int peer) {
  // A member reads the first line of what it receives, and writes there how far it has come.
  take_pages(messages(rank_, peer), geometry_.message_bytes, "a ring of messages");
  take_pages(messages(peer, rank_), std::min<size_t>(geometry_.message_bytes, 1), "a ring of messages");
}

void Board::refuse(int member, const Signature& theirs) { throw MismatchFound{member, theirs, ""}; }

uint64_t Board::look(int member) {
  uint64_t& seen = seen_[static_cast<size_t>(member)];
  for (const Header& header : lines(member).headers) {
    seen = std::max(seen, header.sequence.load(std::memory_order_seq_cst));
  }
  return seen;
}

std::vector<int> Board::not_reached(uint64_t sequence) {
  std::vector<int> missing;
  for (int i = 0; i < size(); ++i) {
    if (!reached(i, sequence)) missing.push_back(i);
  }
  return missing;
}

const Domains::Family& Board::family(int root) {
  if (root == 0) return family_;
  if (root != routed_root_) routed_ = domains_.family(rank_, root);
  routed_root_ = root;
  return routed_;
}

void Board::record_failure(const Error& error) const {
  uint32_t none = 0;
  if (failure_->state.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) {
    failure_->code = error.code();
    failure_->culprit = error.culprit();
    const size_t length = std::min(error.text().size(), sizeof failure_->text - 1);
    std::memcpy(failure_->text, error.text().data(), length);
    failure_->text[length] = '\0';
    failure_->state.store(2, std::memory_order_seq_cst);
  }
  ring();
}

std::optional<Error> Board::recorded_failure() const {
  if (failure_->state.load(std::memory_order_seq_cst) != 2) return std::nullopt;
  // A peer's text, so its end is not taken on trust.
  return Error(failure_->code, std::string(failure_->text, ::strnlen(failure_->text, sizeof failure_->text)), failure_->culprit);
}

}  // namespace ps
