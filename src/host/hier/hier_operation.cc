#include "host/hier/hier_operation.h"

#include <algorithm>

#include "host/hier/hier_plane.h"
#include "host/local_operation.h"

namespace ps {
namespace {

constexpr Row kRows[] = {Row::kHost, Row::kAcross};

}  // namespace

HierOperation::HierOperation(HierPlane& plane, const Signature& signature, uint64_t sequence, std::vector<Stage> stages)
    : plane_(plane),
      signature_(signature),
      sequence_(sequence),
      stages_(std::move(stages)),
      progress_(std::make_unique<std::array<Progress, 2>>()),
      done_(stages_.size()) {
  for (const Row row : kRows) progress(row).next = find(row, 0);
}

size_t HierOperation::find(Row row, size_t from) const {
  while (from < stages_.size() && stages_[from].row != row) ++from;
  return from;
}

bool HierOperation::step() {
  const bool moved = step_stages();
  const bool done = is_done();
  plane_.note_progress(signature_, sequence_, moved || done);
  return done;
}

bool HierOperation::step_stages() {
  bool any = false;
  for (bool moved = true; moved;) {
    const uint64_t handed_on = this->handed_on();
    moved = false;
    for (const Row row : kRows) moved |= step_row(row);
    moved |= handed_on != this->handed_on();
    any |= moved;
  }
  return any;
}

uint64_t HierOperation::handed_on() const {
  uint64_t pieces = 0;
  for (const Row row : kRows) {
    const size_t next = progress(row).next;
    const Relay* const relay = next < stages_.size() ? stages_[next].relay.get() : nullptr;
    if (relay != nullptr) pieces += relay->open + relay->combined + relay->exchanged + relay->released;
  }
  return pieces;
}

bool HierOperation::is_done() const {
  return std::all_of(std::begin(kRows), std::end(kRows), [&](Row row) { return progress(row).next == stages_.size(); });
}

bool HierOperation::step_row(Row row) {
  auto& [next, slot] = progress(row);
  bool moved = false;
  while (next < stages_.size()) {
    Stage& stage = stages_[next];
    if (stage.after != Stage::kNothing && !done_[static_cast<size_t>(stage.after)]) break;
    if (row == Row::kAcross && stage.relay && !stage.relay->open) break;
    if (!step_stage(stage, slot)) break;
    slot.reset();
    done_[next] = true;
    next = find(row, next + 1);
    moved = true;
  }
  return moved;
}

bool HierOperation::step_stage(Stage& stage, std::optional<OperationSlot>& slot) {
  if (stage.plane == nullptr) return LocalOperation(std::move(stage.call)).step();
  try {
    if (!slot) stage.plane->start(std::move(stage.call), stage.sequence, slot.emplace());
    return slot->get()->step();
  } catch (const MismatchFound& found) {
    throw of_whole(found, stage);
  }
}

MismatchFound HierOperation::of_whole(MismatchFound found, const Stage& stage) const {
  // The plane's members, told as the group's.
  found.peer = stage.ranks->at(static_cast<size_t>(found.peer));
  if (found.other >= 0) found.other = stage.ranks->at(static_cast<size_t>(found.other));
  found.number = found.number == stage.sequence ? sequence_ : 0;
  found.theirs.group = Planner::tag_of(found.theirs.group);
  if (found.ours) found.ours->group = Planner::tag_of(found.ours->group);
  if (found.theirs == found.ours.value_or(signature_) && found.detail.empty()) {
    found.detail = "but not at the same place in the order of the group's operations";
  }
  return found;
}

std::vector<int> HierOperation::awaited() const {
  return of_rows([](Operation& operation) { return operation.awaited(); });
}

std::vector<int> HierOperation::missing() const { return plane_.missing(awaited(), signature_, sequence_); }

std::vector<int> HierOperation::retract() {
  return of_rows([](Operation& operation) { return operation.retract(); });
}

template <class Members>
std::vector<int> HierOperation::of_rows(Members&& of) const {
  std::vector<int> ranks;
  for (const auto& [next, slot] : *progress_) {
    if (!slot || slot->get() == nullptr) continue;
    for (const int member : of(*slot->get())) {
      const int rank = stages_[next].ranks->at(static_cast<size_t>(member));
      if (std::find(ranks.begin(), ranks.end(), rank) == ranks.end()) ranks.push_back(rank);
    }
  }
  return ranks;
}

}  // namespace ps
