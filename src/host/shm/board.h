// One member's view of a communicator's shared memory: its own lines to write, the others' to read, and the doorbells to
// ring after writing.
//
// A header line is reused every second operation. That is safe because a member publishes operation k + 2 only when it
// has seen every other at k + 1 or later, and a member that is at k + 1 has finished reading everything of k. Who has
// completed an operation that nobody can complete alone knows the first without looking.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/error.h"
#include "control/host_segment.h"
#include "control/shared_memory.h"
#include "host/copy/methods.h"
#include "host/operation.h"
#include "host/path_counts.h"
#include "host/shm/domains.h"
#include "host/shm/geometry.h"
#include "host/shm/peer_memory.h"
#include "host/shm/regions.h"
#include "host/shm/share.h"

namespace ps {

class Board {
 public:
  // `host` outlives the board. `members`: their local indices. `crowded`: the host's ranks share CPUs. `reach`: where all
  // members reach each other's buffers. `paths`: of its plane.
  Board(const HostSegment& host, std::shared_ptr<SharedMemory> memory, const Geometry& geometry, int rank,
        std::vector<LocalIndex> members, bool crowded, std::optional<PeerMemory::Reach> reach, PathCounts& paths);

  const Geometry& geometry() const { return geometry_; }
  int rank() const { return rank_; }
  int size() const { return geometry_.size; }
  size_t bytes() const { return memory_->size(); }

  MemberLines& lines(int member) const { return lines_[member]; }
  MemberLines& own() const { return lines_[rank_]; }
  Header& header(int member, uint64_t sequence) const { return lines_[member].headers[sequence & 1]; }
  std::byte* slot(int member, uint64_t sequence) const {
    return slots_ + (static_cast<size_t>(member) * 2 + (sequence & 1)) * geometry_.slot_bytes;
  }
  // Of pieces of `bytes`, at most geometry().piece_bytes, which lie one behind the other.
  std::byte* piece(int member, uint64_t round, size_t bytes) const {
    return rings_ + static_cast<size_t>(member) * Geometry::kRing * geometry_.piece_bytes + round % Geometry::kRing * bytes;
  }
  std::byte* share(int member, uint64_t round) const {
    return shares_ + (static_cast<size_t>(member) * Geometry::kRing + round % Geometry::kRing) * geometry_.share_bytes;
  }
  std::byte* messages(int from, int to) const {
    return messages_ + (static_cast<size_t>(from) * static_cast<size_t>(size()) + static_cast<size_t>(to)) * geometry_.message_bytes;
  }

  // True once every other member is known to be at `sequence` or later.
  bool all_reached(uint64_t sequence) {
    if (all_seen_ >= sequence) return true;
    for (int i = 0; i < size(); ++i) {
      if (!reached(i, sequence)) return false;
    }
    all_seen_ = sequence;
    return true;
  }
  bool reached(int member, uint64_t sequence) {
    return member == rank_ || all_seen_ >= sequence || seen_[static_cast<size_t>(member)] >= sequence ||
           look(member) >= sequence;
  }
  // An operation that ends for nobody before all have begun it has ended for this rank.
  void note_all_reached(uint64_t sequence) { all_seen_ = sequence; }
  // The members that are not.
  std::vector<int> not_reached(uint64_t sequence);

  // Publishes this rank's header of operation `sequence`; what it stages must be in place. `reader`: who alone is woken by
  // it, -1 everyone.
  void publish(uint64_t sequence, const Signature& signature, double scale, int reader = -1) {
    Header& own_header = header(rank_, sequence);
    own_header.signature = signature;
    own_header.scale = scale;
    own_header.sequence.store(sequence, std::memory_order_seq_cst);
    if (reader < 0) return ring();
    if (reader != rank_) ring(reader);
  }
  // True when `member` has published operation `sequence`. Throws MismatchFound when it is another operation than `own`.
  bool arrived(int member, uint64_t sequence, const Signature& own) {
    const Header& other = header(member, sequence);
    if (other.sequence.load(std::memory_order_seq_cst) != sequence) return false;
    uint64_t& seen = seen_[static_cast<size_t>(member)];
    seen = std::max(seen, sequence);
    if (other.signature != own) [[unlikely]] refuse(member, other.signature);
    return true;
  }
  // Compares with everyone who is already there. Between two members the later one always sees the earlier, so every
  // pair is compared by at least one of them.
  void compare_arrived(uint64_t sequence, const Signature& own) {
    for (int i = 0; i < size(); ++i) {
      if (i != rank_) arrived(i, sequence, own);
    }
  }

  void store(std::atomic<uint64_t>& counter, uint64_t value) const {
    counter.store(value, std::memory_order_seq_cst);
    ring();
  }
  void ring() const {
    for (int i = 0; i < size(); ++i) {
      if (i != rank_) ring(i);
    }
  }
  void ring(int member) const { host_.doorbell(members_[static_cast<size_t>(member)]).ring(); }

  bool is_crowded() const { return is_crowded_; }
  PathCounts& paths() const { return paths_; }
  const Domains& domains() const { return domains_; }
  // This rank's place in the tree that the first member is the root of, and in another's; that one until the next such
  // call, which the operation that is stepped makes.
  const Domains::Family& family() const { return family_; }
  const Domains::Family& family(int root);

  // The last operation in which this member's ring was written to: others may still be busy with it until they are seen at
  // a later one.
  uint64_t ring_sequence = 0;

  // Room for the operands of a reduction; operations on a board are stepped one at a time, and none while a small call is
  // between its begin and its end.
  struct Operands {
    std::vector<const void*> sources;
    std::vector<double> scales;
  };
  Operands& operands() {
    if (operands_.sources.empty()) make_operands();
    return operands_;
  }
  // And for where all members' buffers are, as this process sees them.
  struct Buffers {
    std::vector<const std::byte*> inputs;
    std::vector<std::byte*> outputs;
  };
  Buffers& buffers() {
    if (buffers_.outputs.empty()) make_buffers();
    return buffers_;
  }
  // A part of a result on its way to memory.
  std::span<std::byte> sum() {
    if (!sum_) make_sum();
    return *sum_;
  }

  Regions& regions() { return regions_; }
  // The other members, of those `concerned`, that say in that line of theirs that they touch what others lend.
  template <class Concerned>
  std::vector<int> touchers(Counter MemberLines::* line, Concerned&& concerned) const {
    std::vector<int> members;
    for (int member = 0; member < size(); ++member) {
      if (member == rank_ || !concerned(member)) continue;
      if ((lines(member).*line).value.load(std::memory_order_seq_cst) != 0) members.push_back(member);
    }
    return members;
  }

  // nullptr: some member may not reach another's buffers.
  const PeerMemory* peer_memory() const { return peer_memory_ ? &*peer_memory_ : nullptr; }
  // Of collectives.
  LendableBuffers& lendable() { return lendable_; }
  // Of each block around this rank that both its sides move, what it does itself, as their source or as their reader.
  uint64_t root_share(bool is_source) const { return root_shares_[is_source ? 1 : 0]; }
  void learn_root_share(bool is_source, bool ended_last) {
    uint64_t& share = root_shares_[is_source ? 1 : 0];
    share = next_share(share, ended_last);
  }
  // Pages that are left until they are needed, taken before they are touched. Errors: NO_MEMORY. Of this member's ring and
  // shares, that many bytes from the first on; cheap where they were taken before.
  void take_ring(size_t piece_bytes, size_t share_bytes);
  // Of the messages to and from `peer`.
  void take_messages(int peer);

  // The shared failure: the first one wins, and everybody is woken.
  void record_failure(const Error& error) const;
  std::optional<Error> recorded_failure() const;
  // 0 while there is none.
  const std::atomic<uint32_t>& failure_word() const { return failure_->state; }

 private:
  [[noreturn, gnu::cold]] static void refuse(int member, const Signature& theirs);
  // At first use: with many members few operations come to one that has all of them, and of small data none needs a sum.
  [[gnu::cold]] void make_operands();
  [[gnu::cold]] void make_buffers();
  [[gnu::cold]] void make_sum();
  // The latest operation that `member` has published.
  uint64_t look(int member);
  void take_pages(const std::byte* begin, size_t bytes, const char* what) const;

  const HostSegment& host_;
  std::shared_ptr<SharedMemory> memory_;
  Geometry geometry_;
  int rank_;
  const std::vector<LocalIndex> members_;
  FailureRecord* failure_;
  MemberLines* lines_;
  std::byte* slots_;
  std::byte* rings_;
  std::byte* shares_;
  std::byte* messages_;
  Operands operands_;
  Buffers buffers_;
  struct alignas(64) Sum : std::array<std::byte, 16 << 10> {};
  std::unique_ptr<Sum> sum_;
  Regions regions_;
  const std::optional<PeerMemory> peer_memory_;
  LendableBuffers lendable_;
  std::array<uint64_t, 2> root_shares_;
  size_t ring_taken_ = 0;    // bytes of this member's ring and shares whose pages it has
  size_t shares_taken_ = 0;
  std::vector<uint64_t> seen_;  // the latest sequence number each member was seen at
  uint64_t all_seen_ = 0;       // and one that all were
  const bool is_crowded_;
  PathCounts& paths_;
  const Domains domains_;
  const Domains::Family family_;
  Domains::Family routed_;
  int routed_root_ = -1;
};

}  // namespace ps
