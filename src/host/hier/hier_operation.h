// A collective in stages: on this host, among the hosts' leaders, on this host again. A stage is a collective of the
// plane it runs on, which bears the signature of the whole, so that ranks that differ find out as on any other plane.
#pragma once

#include <memory>
#include <vector>

#include "host/call.h"
#include "host/plane.h"

namespace ps {

class HierPlane;

struct Stage {
  Plane* plane = nullptr;
  const std::vector<int>* ranks = nullptr;  // of the plane's members, in the group
  Call call;
  uint64_t sequence = 0;  // on that plane
};

class HierOperation final : public Operation {
 public:
  HierOperation(HierPlane& plane, const Signature& signature, uint64_t sequence, std::vector<Stage> stages);

  bool step() override;
  std::vector<int> awaited() const override;
  std::vector<int> retract() override;

 private:
  bool step_stages();
  std::vector<int> in_group(std::vector<int> members) const;  // of the present stage's plane

  HierPlane& plane_;
  const Signature signature_;
  const uint64_t sequence_;
  std::vector<Stage> stages_;
  size_t stage_ = 0;
  std::unique_ptr<OperationSlot> slot_;  // of the present stage
};

}  // namespace ps
