#include "host/hier/hier_operation.h"

#include "host/hier/hier_plane.h"

namespace ps {

HierOperation::HierOperation(HierPlane& plane, const Signature& signature, uint64_t sequence, std::vector<Stage> stages)
    : plane_(plane), signature_(signature), sequence_(sequence), stages_(std::move(stages)) {}

bool HierOperation::step() {
  const bool done = step_stages();
  plane_.note_progress(signature_, sequence_, done);
  return done;
}

bool HierOperation::step_stages() {
  for (; stage_ < stages_.size(); ++stage_, slot_.reset()) {
    Stage& stage = stages_[stage_];
    try {
      if (!slot_) {
        slot_ = std::make_unique<OperationSlot>();
        stage.plane->start(std::move(stage.call), stage.sequence, *slot_);
      }
      if (!slot_->get()->step()) return false;
    } catch (MismatchFound& found) {
      // The plane's members, told as the group's.
      found.peer = stage.ranks->at(static_cast<size_t>(found.peer));
      if (found.other >= 0) found.other = stage.ranks->at(static_cast<size_t>(found.other));
      throw;
    }
  }
  return true;
}

std::vector<int> HierOperation::awaited() const {
  if (!slot_ || slot_->get() == nullptr) return {};
  return in_group(slot_->get()->awaited());
}

std::vector<int> HierOperation::retract() {
  if (!slot_ || slot_->get() == nullptr) return {};
  return in_group(slot_->get()->retract());
}

std::vector<int> HierOperation::in_group(std::vector<int> members) const {
  for (int& member : members) member = stages_[stage_].ranks->at(static_cast<size_t>(member));
  return members;
}

}  // namespace ps
