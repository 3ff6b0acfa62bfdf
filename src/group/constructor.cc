#include "group/constructor.h"

#include <algorithm>

#include "base/wire.h"
#include "group/agreement.h"
#include "group/failure_text.h"
#include "group/planes.h"
#include "group/progress.h"
#include "group/warm_up.h"

namespace ps {

// What each member says of itself and of what it wants. Its texts lie elsewhere: in what was agreed, or with their owners.
struct GroupConstructor::Proposal {
  uint32_t flags = 0;
  uint64_t max_object_bytes = 0;
  uint64_t host_buffer_bytes = 0;
  uint64_t communicator = 0;  // the serial of one that it has for the same members, 0 none
  uint64_t attempt = 0;
  uint16_t tag = 0;           // for the group on that communicator; the first member's counts
  int32_t color = 0;
  int32_t key = 0;
  std::string_view backend;
  std::string_view ticket;
  std::string_view lacking;   // see lacks_transport

  std::string encode() const {
    return WireWriter()
        .number(flags).number(max_object_bytes).number(host_buffer_bytes).number(communicator).number(tag).number(color)
        .number(key).number(attempt).text(backend).text(ticket).text(lacking)
        .take();
  }
  static Proposal decode(std::string_view bytes) {
    WireReader reader(bytes, "a member's proposal for a group");
    Proposal self;
    self.flags = reader.number<uint32_t>();
    self.max_object_bytes = reader.number<uint64_t>();
    self.host_buffer_bytes = reader.number<uint64_t>();
    self.communicator = reader.number<uint64_t>();
    self.tag = reader.number<uint16_t>();
    self.color = reader.number<int32_t>();
    self.key = reader.number<int32_t>();
    self.attempt = reader.number<uint64_t>();
    self.backend = reader.view();
    self.ticket = reader.view();
    self.lacking = reader.view();
    reader.finish();
    return self;
  }
  static TransientVector<Proposal> decode_all(const TransientVector<std::string_view>& blobs) {
    TransientVector<Proposal> all;
    all.reserve(blobs.size());
    for (const std::string_view blob : blobs) all.push_back(decode(blob));
    return all;
  }
};

std::shared_ptr<Communicator> GroupConstructor::find(const std::vector<int32_t>& global_ranks,
                                                     const GroupSettings& settings) {
  if ((settings.flags & PS_OWN_COMMUNICATOR) != 0) return nullptr;
  const std::lock_guard lock(mutex_);
  for (const Known& known : communicators_) {
    const auto communicator = known.communicator.lock();
    if (!communicator || known.is_to_itself || communicator->global_ranks() != global_ranks) continue;
    if (communicator->asked_backend() == settings.backend) return communicator;
  }
  return nullptr;
}

GroupConstructor::Proposal GroupConstructor::propose(Communicator* existing, const GroupSettings& settings,
                                                     const Offer& offer, uint64_t attempt) {
  Proposal proposal;
  proposal.attempt = attempt;
  proposal.flags = settings.flags;
  proposal.max_object_bytes = settings.max_object_bytes;
  proposal.host_buffer_bytes = settings.host_buffer_bytes;
  proposal.backend = settings.backend;
  proposal.ticket = offer.ticket();
  if (existing == nullptr || existing->failure()) return proposal;
  const uint16_t tag = existing->next_tag();
  if (tag >= Communicator::kMostGroups) return proposal;
  proposal.communicator = existing->serial();
  proposal.tag = tag;
  return proposal;
}

std::shared_ptr<Group> GroupConstructor::make(std::vector<int32_t> global_ranks, GroupSettings settings, Deadline deadline) {
  const std::string doing = fmt::format("new group '{}'", settings.name);
  world_->check_living(global_ranks, doing);
  Offer offer(world_->in_process());
  Attempt attempt(*world_);  // ends before the offer: who finds that closed finds the reason
  std::shared_ptr<Communicator> existing = find(global_ranks, settings);  // lives until the members have decided
  Proposal own = propose(existing.get(), settings, offer, attempt.number());
  const std::string lacking = lacks_transport(*world_, global_ranks, settings.backend);
  own.lacking = lacking;
  const Exchanged agreed =
      agree(*world_, Kind::kNewGroup, settings.name, fmt::format("group '{}' of world {}", settings.name, world_->id()),
            global_ranks, own.encode(), deadline, check_gathering(*world_, global_ranks, doing));
  const TransientVector<Proposal> proposals = Proposal::decode_all(agreed.blobs);
  check_alike(global_ranks, proposals, settings);
  auto group = build(global_ranks, proposals, std::move(existing), agreed.serial, std::move(settings), offer, attempt,
                     deadline, check_making(*world_, global_ranks, doing));
  attempt.succeeded();
  record_return(*world_);
  return group;
}

std::shared_ptr<Group> GroupConstructor::split(const Group& parent, int32_t color, int32_t key, GroupSettings settings,
                                               Deadline deadline) {
  const std::vector<int32_t>& everyone = parent.global_ranks();
  const std::string doing = fmt::format("split of group '{}'", parent.name());
  world_->check_living(everyone, doing);
  Offer offer(world_->in_process());
  Attempt attempt(*world_);  // ends before the offer: who finds that closed finds the reason
  Proposal own = propose(nullptr, settings, offer, attempt.number());
  own.color = color;
  own.key = key;
  const std::string lacking = lacks_transport(*world_, everyone, settings.backend);
  own.lacking = lacking;
  const Exchanged agreed =
      agree(*world_, Kind::kSplitGroup, parent.name(),
            fmt::format("split of group '{}' ({}.{}) of world {}", parent.name(), parent.communicator().serial(),
                        parent.tag(), world_->id()),
            everyone, own.encode(), deadline, check_gathering(*world_, everyone, doing));
  const TransientVector<Proposal> proposals = Proposal::decode_all(agreed.blobs);
  check_alike(everyone, proposals, settings);
  record_return(*world_);
  if (color == PS_NO_COLOR) {
    attempt.succeeded();
    return nullptr;
  }

  std::vector<size_t> part;
  for (size_t i = 0; i < proposals.size(); ++i) {
    if (proposals[i].color == color) part.push_back(i);
  }
  std::stable_sort(part.begin(), part.end(), [&](size_t a, size_t b) { return proposals[a].key < proposals[b].key; });
  std::vector<int32_t> global_ranks;
  TransientVector<Proposal> members;
  for (const size_t i : part) {
    global_ranks.push_back(everyone[i]);
    members.push_back(proposals[i]);
  }
  auto made = build(std::move(global_ranks), members, nullptr, agreed.serial, std::move(settings), offer, attempt, deadline,
                    check_making(*world_, everyone, doing));
  attempt.succeeded();
  return made;
}

void GroupConstructor::check_alike(const std::vector<int32_t>& global_ranks, const TransientVector<Proposal>& proposals,
                                   const GroupSettings& settings) const {
  for (size_t i = 1; i < proposals.size(); ++i) {
    const auto require = [&](const auto& theirs, const auto& first, const char* what) {
      if (theirs == first) return;
      throw Error(PS_ERR_MISMATCH,
                  fmt::format("group '{}': rank {} gives {} {}, rank {} gives {}; the options of all members must agree",
                              settings.name, global_ranks[i], what, theirs, global_ranks[0], first),
                  global_ranks[i]);
    };
    require(proposals[i].flags, proposals[0].flags, "flags");
    require(proposals[i].max_object_bytes, proposals[0].max_object_bytes, "max_object_bytes");
    require(proposals[i].host_buffer_bytes, proposals[0].host_buffer_bytes, "host_buffer_bytes");
    require(proposals[i].backend, proposals[0].backend, "backend");
  }
}

std::shared_ptr<Group> GroupConstructor::build(std::vector<int32_t> global_ranks, const TransientVector<Proposal>& proposals,
                                               std::shared_ptr<Communicator> existing, uint64_t serial,
                                               GroupSettings settings, Offer& offer, Attempt& attempt,
                                               Deadline deadline, const StopCheck& check) {
  const uint64_t common = proposals.front().communicator;
  const bool shared = common != 0 && std::all_of(proposals.begin(), proposals.end(), [&](const Proposal& p) {
                        return p.communicator == common;
                      });
  TransientVector<uint64_t> numbers;
  TransientVector<std::string_view> lacking;
  numbers.reserve(proposals.size());
  lacking.reserve(proposals.size());
  for (const Proposal& proposal : proposals) {
    numbers.push_back(proposal.attempt);
    lacking.push_back(proposal.lacking);
  }
  AttemptNumbers attempts(numbers);
  std::shared_ptr<Communicator> communicator;
  uint16_t tag = 0;
  if (shared) {
    communicator = std::move(existing);
    tag = proposals.front().tag;
  } else {
    const std::vector<int32_t> mates = sharers(*world_, global_ranks, settings.backend);
    const Geometry geometry =
        mates.empty() ? Geometry{} : Geometry::plan(static_cast<int>(mates.size()), settings.host_buffer_bytes);
    const StopCheck check_members = [&] {
      check();
      attempt.check(global_ranks, attempts, fmt::format("new group '{}'", settings.name));
    };
    std::shared_ptr<SharedMemory> memory;
    if (!mates.empty()) {
      const SharedNeed need{"parallelstate-group", geometry.total_bytes, geometry.messages_offset,
                            fmt::format("group '{}' of {} ranks with host_buffer_bytes {}", settings.name,
                                        global_ranks.size(), settings.host_buffer_bytes)};
      const auto first = std::find(global_ranks.begin(), global_ranks.end(), mates.front()) - global_ranks.begin();
      memory = hand_over(*world_, offer, mates.front() == world_->rank(), proposals[static_cast<size_t>(first)].ticket,
                         static_cast<int>(mates.size()), need, deadline, check_members);
    }
    auto plane = make_plane(*world_, global_ranks, settings.backend, serial, geometry, std::move(memory),
                            settings.host_buffer_bytes, dispatch_, who_lacks_transport(*world_, global_ranks, lacking));
    communicator = std::make_shared<Communicator>(world_, progress_, serial, std::move(global_ranks), settings.backend,
                                                  std::move(plane));
    tag = communicator->next_tag();
  }
  auto group = std::make_shared<Group>(communicator, std::move(settings), tag, std::move(attempts));
  if (!shared) take_note(communicator, (group->settings().flags & PS_OWN_COMMUNICATOR) != 0);
  take_note(group);
  if ((group->settings().flags & PS_WARM_UP) != 0) {
    warm_up(*world_, {communicator}, deadline, [&] {
      attempt.check(group->global_ranks(), group->label().attempts, fmt::format("new group '{}'", group->settings().name));
    });
  }
  return group;
}

void GroupConstructor::take_note(const std::shared_ptr<Communicator>& communicator, bool is_to_itself) {
  const std::lock_guard lock(mutex_);
  std::erase_if(communicators_, [](const Known& known) { return known.communicator.expired(); });
  communicators_.push_back({communicator, is_to_itself});
}

void GroupConstructor::take_note(const std::shared_ptr<Group>& group) {
  const std::lock_guard lock(mutex_);
  std::erase_if(groups_, [](const auto& weak) { return weak.expired(); });
  groups_.push_back(group);
}

std::vector<std::shared_ptr<Communicator>> GroupConstructor::communicators() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Communicator>> living;
  for (const Known& known : communicators_) {
    if (auto communicator = known.communicator.lock()) living.push_back(std::move(communicator));
  }
  return living;
}

std::vector<std::shared_ptr<Group>> GroupConstructor::groups() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Group>> living;
  for (const auto& weak : groups_) {
    if (auto group = weak.lock()) living.push_back(std::move(group));
  }
  return living;
}

}  // namespace ps
