// A collective in stages, stepped: each row's present stage as far as it goes. A stage bears the signature of the whole, so
// ranks that differ find out as on any other plane.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "host/hier/stage.h"
#include "host/operation_slot.h"

namespace ps {

class HierPlane;

class HierOperation final : public Operation {
 public:
  HierOperation(HierPlane& plane, const Signature& signature, uint64_t sequence, std::vector<Stage> stages);

  bool step() override;
  std::vector<int> awaited() const override;
  std::vector<int> missing() const override;
  std::vector<int> retract() override;

 private:
  struct Progress {
    size_t next = 0;                    // the stage that runs or is to, of all
    std::optional<OperationSlot> slot;  // while it runs
  };

  // Whether any stage ended, or handed something on.
  bool step_stages();
  // Grows with whatever two stages have handed each other.
  uint64_t handed_on() const;
  bool is_done() const;
  // Members of the planes that stages run on now, in the group.
  template <class Members>
  std::vector<int> of_rows(Members&& of) const;
  bool step_row(Row row);
  bool step_stage(Stage& stage, std::optional<OperationSlot>& slot);
  size_t find(Row row, size_t from) const;
  Progress& progress(Row row) const { return (*progress_)[static_cast<size_t>(row)]; }
  // A mismatch of a stage, as one of the whole.
  MismatchFound of_whole(MismatchFound found, const Stage& stage) const;

  HierPlane& plane_;
  const Signature signature_;
  const uint64_t sequence_;
  std::vector<Stage> stages_;
  std::unique_ptr<std::array<Progress, 2>> progress_;
  std::vector<bool> done_;
};

}  // namespace ps
