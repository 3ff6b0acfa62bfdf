// How ranks make a group: its members, and nobody else, agree in one exchange at the store, and where they share a host
// the first of them hands the new communicator's memory to the others.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "group/group.h"
#include "host/dispatch.h"

namespace ps {

class Attempt;
class Progress;

class GroupConstructor {
 public:
  GroupConstructor(std::shared_ptr<World> world, std::shared_ptr<Progress> progress, Dispatch dispatch)
      : world_(std::move(world)), progress_(std::move(progress)), dispatch_(std::move(dispatch)) {}

  const Dispatch& dispatch() const { return dispatch_; }

  // Collective over `global_ranks`, among which this rank is.
  std::shared_ptr<Group> make(std::vector<int32_t> global_ranks, GroupSettings settings, Deadline deadline);
  // Collective over `parent`. nullptr for PS_NO_COLOR.
  std::shared_ptr<Group> split(const Group& parent, int32_t color, int32_t key, GroupSettings settings, Deadline deadline);

  // Takes note of what was made elsewhere: of the groups of a layout. `is_to_itself`: no later group shares it.
  void take_note(const std::shared_ptr<Communicator>& communicator, bool is_to_itself);
  void take_note(const std::shared_ptr<Group>& group);

  // The living communicators, for death notices and descriptions.
  std::vector<std::shared_ptr<Communicator>> communicators();
  std::vector<std::shared_ptr<Group>> groups();

 private:
  struct Proposal;

  Proposal propose(Communicator* existing, const GroupSettings& settings, const Offer& offer, uint64_t attempt);
  std::shared_ptr<Group> build(std::vector<int32_t> global_ranks, const TransientVector<Proposal>& proposals,
                               std::shared_ptr<Communicator> existing, uint64_t serial, GroupSettings settings,
                               Offer& offer, Attempt& attempt, Deadline deadline, const StopCheck& check);
  // A communicator of these members that another group may share; nullptr: none.
  std::shared_ptr<Communicator> find(const std::vector<int32_t>& global_ranks, const GroupSettings& settings);
  void check_alike(const std::vector<int32_t>& global_ranks, const TransientVector<Proposal>& proposals,
                   const GroupSettings& settings) const;

  std::shared_ptr<World> world_;
  std::shared_ptr<Progress> progress_;
  const Dispatch dispatch_;
  std::mutex mutex_;
  struct Known {
    std::weak_ptr<Communicator> communicator;
    bool is_to_itself;
  };
  std::vector<Known> communicators_;
  std::vector<std::weak_ptr<Group>> groups_;
};

}  // namespace ps
