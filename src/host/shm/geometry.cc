#include "host/shm/geometry.h"

#include <algorithm>
#include <bit>

#include "base/pages.h"

namespace ps {
namespace {

constexpr size_t kLargestSlot = 64 << 10;
constexpr size_t kLargestPiece = 512 << 10;
constexpr size_t kLargestMessageRing = 1 << 20;

}  // namespace

Geometry Geometry::plan(int size, uint64_t budget) {
  const auto n = static_cast<size_t>(size);
  const size_t share = std::max<size_t>(budget, 64 << 10);
  Geometry plan;
  plan.size = size;
  // Two sizes for each other member have room, see Pipeline::stage_slot.
  plan.slot_bytes = std::max(std::min(kLargestSlot, std::bit_floor(share / 16)), round_up(n * 2 * sizeof(uint64_t), kPage));
  plan.piece_bytes = std::clamp<size_t>(std::bit_floor(share / 12), kPage, kLargestPiece);
  // A column of a piece is at least one line.
  plan.piece_bytes = std::max(plan.piece_bytes, round_up(n * 64, kPage));
  plan.share_bytes = round_up(plan.piece_bytes / n + 64, 64);
  plan.message_bytes = std::clamp<size_t>(std::bit_floor(share / 4 / n), kPage, kLargestMessageRing);

  size_t offset = round_up(sizeof(FailureRecord), 128);
  plan.lines_offset = offset;
  offset = round_up(offset + n * sizeof(MemberLines), kPage);
  plan.slots_offset = offset;
  offset += n * 2 * plan.slot_bytes;
  plan.rings_offset = offset = round_up(offset, kPage);
  offset += n * kRing * plan.piece_bytes;
  plan.shares_offset = offset = round_up(offset, kPage);
  offset += n * kRing * plan.share_bytes;
  plan.messages_offset = offset = round_up(offset, kPage);
  offset += n * n * plan.message_bytes;
  plan.total_bytes = round_up(offset, kPage);
  return plan;
}

}  // namespace ps
