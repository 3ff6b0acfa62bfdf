#include "host/shm/shm_plane.h"

#include <algorithm>
#include <cstdint>

#include "host/copy/copy.h"
#include "host/shm/message_ring.h"
#include "host/shm/one_shot.h"
#include "host/shm/pipeline.h"
#include "host/shm/two_shot.h"

namespace ps {
namespace {

// The two rings of a pair, and the peer's doorbell.
class RingPath final : public MessagePath {
 public:
  RingPath(Board& board, int peer)
      : board_(board),
        peer_(peer),
        out_(board.messages(board.rank(), peer), board.geometry().message_bytes),
        in_(board.messages(peer, board.rank()), board.geometry().message_bytes) {
    board.take_messages(peer);
  }

  size_t most_payload() const override { return out_.most_payload(); }
  bool write(const Entry& entry) override { return out_.write(entry); }
  std::optional<Entry> front() override { return in_.front(); }
  bool pop() override { return in_.pop(); }
  void ring() override { board_.ring(peer_); }

 private:
  Board& board_;
  const int peer_;
  MessageRing out_;
  MessageRing in_;
};

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

const ShmAlgorithm* find(Algorithm algorithm) {
  static constexpr ShmAlgorithm kOneShot{any_kind, a_slot, make<OneShot>};
  static constexpr ShmAlgorithm kTwoShot{all_reduce, any_size, make<TwoShot>};
  static constexpr ShmAlgorithm kPipeline{any_kind, any_size, make<Pipeline>};
  switch (algorithm) {
    case Algorithm::kOneShot: return &kOneShot;
    case Algorithm::kTwoShot: return &kTwoShot;
    case Algorithm::kPipeline: return &kPipeline;
    default: return nullptr;
  }
}

}  // namespace

ShmPlane::ShmPlane(std::shared_ptr<SharedMemory> memory, const Geometry& geometry, int rank,
                   std::vector<Doorbell*> doorbells, const Dispatch& dispatch)
    : choices_(dispatch, name(), geometry.size, [&](Algorithm algorithm, Kind kind) -> std::optional<size_t> {
        const ShmAlgorithm* known = find(algorithm);
        return known != nullptr && known->runs(kind) ? std::optional(known->most_bytes(geometry)) : std::nullopt;
      }),
      board_(std::move(memory), geometry, rank, std::move(doorbells)),
      mailbox_(rank, geometry.size, [this](int peer) { return open_path(peer); }) {
  // Now, because within an operation an error fails the group.
  check_copy_setting();
}

std::unique_ptr<MessagePath> ShmPlane::open_path(int peer) { return std::make_unique<RingPath>(board_, peer); }

void ShmPlane::start(Call&& call, uint64_t sequence, OperationSlot& slot) {
  const size_t bytes = call.uneven ? SIZE_MAX : OneShot::staged_bytes(call, board_.size());
  const auto algorithm = choices_.find(call.kind(), bytes);
  if (!algorithm) fail(PS_ERR_INTERNAL, "no algorithm of plane shm runs {}", describe(call.signature));
  find(*algorithm)->make(board_, std::move(call), sequence, slot);
}

void ShmPlane::mark_freed(uint16_t tag) {
  auto& freed = board_.own().freed.value;
  board_.store(freed, freed.load() | uint64_t{1} << tag);
}

bool ShmPlane::has_freed(int member, uint16_t tag) {
  return (board_.lines(member).freed.value.load(std::memory_order_seq_cst) >> tag & 1) != 0;
}

}  // namespace ps
