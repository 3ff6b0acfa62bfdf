// The groups of a layout, alive. All ranks agree on the layout in one exchange; then each knows by calculation which
// groups it is in, which of them have equal members, and where each lies in one piece of memory that the first rank of
// a host hands to the others. So any number of groups costs one agreement and one handover.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "group/constructor.h"
#include "layout/layout.h"

namespace ps {

class ModelParallel {
 public:
  // Collective over the world. Errors: MISMATCH ranks with other layouts or
  // options.
  ModelParallel(GroupConstructor& constructor, std::shared_ptr<World> world, std::shared_ptr<Progress> progress,
                std::shared_ptr<const layout::Layout> layout, const GroupSettings& settings, Deadline deadline);

  const layout::Layout& layout() const { return *layout_; }

  struct Member {
    std::string name;
    std::shared_ptr<Group> group;  // nullptr: this rank is in no group of that name
  };
  // Names and aliases, in the layout's order.
  const std::vector<Member>& members() const { return members_; }
  // nullptr: there is no such name, or this rank is in no group of it.
  std::shared_ptr<Group> find(std::string_view name) const;

  // "dp0_pp1_tp0": this rank's place in the groups by which workers are told apart, those of more than one member.
  const std::string& worker_suffix() const { return worker_suffix_; }

  struct Times {
    int64_t agreement_us = 0;
    int64_t memory_us = 0;
    int64_t groups_us = 0;
  };
  const Times& times() const { return times_; }
  size_t communicator_count() const { return communicator_count_; }
  size_t memory_bytes() const { return memory_bytes_; }  // of this host, reserved; pages are taken at first use

 private:
  struct Communicators;

  Communicators plan(const GroupSettings& settings) const;
  std::shared_ptr<SharedMemory> share(const Communicators& planned, Offer& offer, const TransientVector<std::string_view>& tickets,
                                      Deadline deadline, const StopCheck& check);

  std::shared_ptr<World> world_;
  std::shared_ptr<const layout::Layout> layout_;
  std::vector<Member> members_;
  std::string worker_suffix_;
  Times times_;
  size_t communicator_count_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace ps
