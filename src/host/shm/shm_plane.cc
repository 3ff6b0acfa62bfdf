#include "host/shm/shm_plane.h"

#include <algorithm>
#include <cstdint>

#include "host/copy/copy.h"
#include "host/shm/one_shot.h"
#include "host/shm/pipeline.h"
#include "host/shm/ring_path.h"
#include "host/shm/single_copy.h"
#include "host/shm/tree.h"
#include "host/shm/two_shot.h"

namespace ps {
namespace {

// What an algorithm can run. A row of the dispatch table that asks for more of it leaves the call to the next row.
struct ShmAlgorithm {
  bool (*runs)(Kind);                     // which operations
  size_t (*most_bytes)(const Geometry&);  // that a member may contribute
  void (*make)(Board&, Call&&, uint64_t, OperationSlot&);
};

template <class T>
void make(Board& board, Call&& call, uint64_t sequence, OperationSlot& slot) {
  slot.emplace<T>(board, std::move(call), sequence);
}

bool any_kind(Kind) { return true; }
bool all_reduce(Kind kind) { return kind == Kind::kAllReduce; }
size_t any_size(const Geometry&) { return SIZE_MAX; }
// A small budget makes slots smaller than the table's limit.
size_t a_slot(const Geometry& geometry) { return geometry.slot_bytes; }

const ShmAlgorithm* find(Algorithm algorithm, bool reaches_peers) {
  static constexpr ShmAlgorithm kOneShot{any_kind, a_slot, make<OneShot>};
  static constexpr ShmAlgorithm kTree{Tree::runs, Tree::most_bytes, make<Tree>};
  static constexpr ShmAlgorithm kTwoShot{all_reduce, any_size, make<TwoShot>};
  static constexpr ShmAlgorithm kPipeline{any_kind, any_size, make<Pipeline>};
  static constexpr ShmAlgorithm kSingleCopy{SingleCopy::can, any_size, make<SingleCopy>};
  switch (algorithm) {
    case Algorithm::kOneShot: return &kOneShot;
    case Algorithm::kTree: return &kTree;
    case Algorithm::kTwoShot: return &kTwoShot;
    case Algorithm::kPipeline: return &kPipeline;
    case Algorithm::kSingleCopy: return reaches_peers ? &kSingleCopy : nullptr;
    default: return nullptr;
  }
}

}  // namespace

ShmPlane::ShmPlane(const HostSegment& host, std::shared_ptr<SharedMemory> memory, const Geometry& geometry,
                   int rank, std::vector<LocalIndex> members, bool crowded, std::optional<PeerMemory::Reach> reach,
                   const Dispatch& dispatch)
    : choices_(dispatch, name(), geometry.size, crowded, [&](const DispatchRow& row, Kind kind) -> std::optional<size_t> {
        // Who writes a rule has single copies where they can be made.
        const bool reaches_peers = reach && (reach->pays || row.from_rule);
        const ShmAlgorithm* known = find(row.algorithm, reaches_peers);
        return known != nullptr && known->runs(kind) ? std::optional(known->most_bytes(geometry)) : std::nullopt;
      }),
      board_(host, std::move(memory), geometry, rank, std::move(members), crowded, reach, paths_),
      mailbox_(rank, [this](int peer) { return open_path(peer); }, paths_) {
  failure_word_ = &board_.failure_word();
  // Now, because within an operation an error fails the group.
  check_copy_setting();
}

std::unique_ptr<MessagePath> ShmPlane::open_path(int peer) { return std::make_unique<RingPath>(board_, peer, next_message_line_); }

void ShmPlane::start(Call&& call, uint64_t sequence, OperationSlot& slot) {
  if (call.relay != nullptr) return make<TwoShot>(board_, std::move(call), sequence, slot);
  const size_t bytes = call.uneven ? SIZE_MAX : StagedBlocks::bytes_of(call, board_.size());
  auto algorithm = choices_.find(call.kind(), bytes);
  if (algorithm == Algorithm::kSingleCopy && !SingleCopy::may(call)) algorithm = Algorithm::kPipeline;
  if (algorithm == Algorithm::kTree && !Tree::may(call)) algorithm = Algorithm::kOneShot;
  if (!algorithm) fail(PS_ERR_INTERNAL, "no algorithm of plane shm runs {}", describe(call.signature));
  expect_line(sequence + 1);
  // The others know how they go when they have met.
  if (*algorithm == Algorithm::kOneShot || *algorithm == Algorithm::kTree) paths_.add(call.kind(), path_of(*algorithm));
  if (*algorithm == Algorithm::kOneShot) return make<OneShot>(board_, std::move(call), sequence, slot);
  find(*algorithm, true)->make(board_, std::move(call), sequence, slot);
}

bool ShmPlane::begin_small(const Call& call, uint64_t sequence) {
  const size_t bytes = StagedBlocks::bytes_of(call, board_.size());
  if (!small_call_.suits(call, bytes) || choices_.find(call.kind(), bytes) != Algorithm::kOneShot) return false;
  if (!small_call_.begin(call, sequence, bytes)) return false;
  paths_.add(call.kind(), Path::kOneShot);
  expect_line(sequence + 1);
  return true;
}

void ShmPlane::resume_small(Call&& call, uint64_t sequence, OperationSlot& slot) {
  slot.emplace<OneShot>(board_, std::move(call), sequence, small_call_.state());
}

std::vector<int> ShmPlane::retract_messages() {
  board_.own().retracted_messages.value.store(1, std::memory_order_seq_cst);
  return board_.touchers(&MemberLines::touching_messages, [](int) { return true; });
}

void ShmPlane::mark_freed(uint16_t tag) {
  board_.own().freed.value.fetch_or(uint64_t{1} << tag, std::memory_order_seq_cst);
  board_.ring();
}

bool ShmPlane::has_freed(int member, uint16_t tag) {
  return (board_.lines(member).freed.value.load(std::memory_order_seq_cst) >> tag & 1) != 0;
}

}  // namespace ps
