#include "host/shm/shm_plane.h"

#include "host/shm/one_shot.h"
#include "host/shm/pipeline.h"
#include "host/shm/two_shot.h"

namespace ps {

void ShmPlane::start(Call call, uint64_t sequence, OperationSlot& slot) {
  // A small budget makes slots smaller than the table's limit.
  const size_t bytes = OneShot::staged_bytes(call, board_.size());
  Algorithm algorithm = call.uneven ? Algorithm::kPipeline : choose_algorithm(call.signature.kind, bytes);
  if (algorithm == Algorithm::kOneShot && bytes > board_.geometry().slot_bytes) {
    algorithm = call.signature.kind == Kind::kAllReduce ? Algorithm::kTwoShot : Algorithm::kPipeline;
  }
  switch (algorithm) {
    case Algorithm::kOneShot: slot.emplace<OneShot>(board_, std::move(call), sequence); break;
    case Algorithm::kTwoShot: slot.emplace<TwoShot>(board_, std::move(call), sequence); break;
    case Algorithm::kPipeline: slot.emplace<Pipeline>(board_, std::move(call), sequence); break;
  }
}

void ShmPlane::mark_freed(uint16_t tag) {
  auto& freed = board_.own().freed.value;
  board_.store(freed, freed.load() | uint64_t{1} << tag);
}

bool ShmPlane::has_freed(int member, uint16_t tag) const {
  return (board_.lines(member).freed.value.load(std::memory_order_seq_cst) >> tag & 1) != 0;
}

}  // namespace ps
