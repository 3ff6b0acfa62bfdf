#include "group/model_parallel.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "base/pages.h"
#include "base/wire.h"
#include "group/agreement.h"
#include "group/failure_text.h"
#include "group/planes.h"
#include "group/warm_up.h"
#include "layout/describe.h"

namespace ps {
namespace {

using Ranks = std::vector<int32_t>;

// Serials of a layout's communicators: the agreement's number below, their own above, so that no other has the same.
constexpr int kSerialShift = 32;

// What each rank says of itself and of what it wants. Its texts lie elsewhere: in what was agreed, or with their owners.
struct Proposal {
  std::string_view spec;
  uint64_t hash = 0;
  uint32_t flags = 0;
  uint64_t max_object_bytes = 0;
  uint64_t host_buffer_bytes = 0;
  uint64_t attempt = 0;
  std::string_view ticket;
  std::string_view lacking;  // see lacks_transport

  std::string encode() const {
    return WireWriter()
        .text(spec).number(hash).number(flags).number(max_object_bytes).number(host_buffer_bytes).number(attempt)
        .text(ticket).text(lacking)
        .take();
  }
  static Proposal decode(std::string_view bytes) {
    WireReader reader(bytes, "a rank's proposal for model-parallel groups");
    Proposal self;
    self.spec = reader.view();
    self.hash = reader.number<uint64_t>();
    self.flags = reader.number<uint32_t>();
    self.max_object_bytes = reader.number<uint64_t>();
    self.host_buffer_bytes = reader.number<uint64_t>();
    self.attempt = reader.number<uint64_t>();
    self.ticket = reader.view();
    self.lacking = reader.view();
    reader.finish();
    return self;
  }
};

void check_alike(const TransientVector<Proposal>& proposals) {
  const Proposal& first = proposals.front();
  for (size_t rank = 1; rank < proposals.size(); ++rank) {
    const Proposal& other = proposals[rank];
    const auto differ = [&](const std::string& what) {
      throw Error(PS_ERR_MISMATCH, fmt::format("rank {} and rank 0 do not agree on the layout: {}", rank, what),
                  static_cast<int32_t>(rank));
    };
    if (other.spec != first.spec) {
      differ(fmt::format("rank {} says '{}', rank 0 says '{}' ({})", rank, other.spec, first.spec,
                         layout::key_difference(std::string(other.spec), std::string(first.spec))));
    }
    if (other.hash != first.hash) differ("their libraries count the same spec as different layouts");
    if (other.flags != first.flags) {
      differ(fmt::format("rank {} has flags {:#x}, rank 0 {:#x}", rank, other.flags, first.flags));
    }
    if (other.max_object_bytes != first.max_object_bytes) differ("max_object_bytes differs");
    if (other.host_buffer_bytes != first.host_buffer_bytes) differ("host_buffer_bytes differs");
  }
}

class Stopwatch {
 public:
  int64_t lap_us() {
    const auto now = std::chrono::steady_clock::now();
    const auto lap = std::chrono::duration_cast<std::chrono::microseconds>(now - begin_).count();
    begin_ = now;
    return lap;
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

Ranks members_of(const layout::Rule& rule, int64_t group) {
  Ranks ranks;
  for (int64_t i = 0; i < rule.group_size(); ++i) ranks.push_back(static_cast<int32_t>(rule.rank(group, i)));
  return ranks;
}

AttemptNumbers attempts_of(const Ranks& ranks, const AttemptNumbers& of_world) {
  TransientVector<uint64_t> numbers;
  for (const int32_t rank : ranks) numbers.push_back(of_world[static_cast<size_t>(rank)]);
  return AttemptNumbers(numbers);
}

}  // namespace

// The communicators that the ranks of this host need, each list of members once.
struct ModelParallel::Communicators {
  struct Entry {
    uint64_t number;  // the same on all ranks
    bool in_memory;
    Geometry geometry;
    size_t offset = 0;  // in the host's memory
  };
  std::map<Ranks, Entry> by_ranks;
  size_t bytes = 0;
  size_t pages = 0;  // bytes that collectives will touch
};

ModelParallel::ModelParallel(GroupConstructor& constructor, std::shared_ptr<World> world,
                             std::shared_ptr<Progress> progress, std::shared_ptr<const layout::Layout> layout,
                             const GroupSettings& settings, Deadline deadline)
    : world_(std::move(world)), layout_(std::move(layout)) {
  Stopwatch watch;
  Ranks everyone;
  for (int32_t rank = 0; rank < world_->size(); ++rank) everyone.push_back(rank);
  const char* const doing = "model-parallel groups";
  world_->check_living(everyone, doing);
  Offer offer(world_->in_process());
  Attempt attempt(*world_);  // ends before the offer: who finds that closed finds the reason
  const std::string lacking = lacks_transport(*world_, everyone, settings.backend);
  const Proposal own{layout_->spec(), layout_->hash(), settings.flags, settings.max_object_bytes,
                     settings.host_buffer_bytes, attempt.number(), offer.ticket(), lacking};
  const Exchanged agreed = agree(*world_, Kind::kNewGroup, layout_->spec().substr(0, 63),
                                 fmt::format("model-parallel groups of world {}", world_->id()), everyone, own.encode(),
                                 deadline, check_gathering(*world_, everyone, doing));
  TransientVector<Proposal> proposals;
  TransientVector<std::string_view> tickets;
  TransientVector<uint64_t> numbers;
  proposals.reserve(everyone.size());
  tickets.reserve(everyone.size());
  numbers.reserve(everyone.size());
  for (const std::string_view blob : agreed.blobs) {
    proposals.push_back(Proposal::decode(blob));
    tickets.push_back(proposals.back().ticket);
    numbers.push_back(proposals.back().attempt);
  }
  const AttemptNumbers attempts(numbers);
  check_alike(proposals);
  times_.agreement_us = watch.lap_us();

  const Communicators planned = plan(settings);
  const StopCheck check = check_making(*world_, everyone, doing);
  const std::shared_ptr<SharedMemory> memory = share(planned, offer, tickets, deadline, [&] {
    check();
    attempt.check(everyone, attempts, "model-parallel groups");
  });
  memory_bytes_ = planned.bytes;
  times_.memory_us = watch.lap_us();

  const auto said = [&](const Ranks& ranks) {
    TransientVector<std::string_view> texts;
    for (const int32_t rank : ranks) texts.push_back(proposals[static_cast<size_t>(rank)].lacking);
    return texts;
  };
  std::map<Ranks, std::shared_ptr<Communicator>> made;
  for (const layout::Name& name : layout_->names()) {
    if (name.name == "world") continue;
    if (!name.alias_of.empty()) {
      members_.push_back({name.name, find(name.alias_of)});
      continue;
    }
    const auto place = name.rule.find(world_->rank());
    if (!place) {
      members_.push_back({name.name, nullptr});
      continue;
    }
    const Ranks ranks = members_of(name.rule, place->group);
    std::shared_ptr<Communicator>& communicator = made[ranks];
    if (!communicator) {
      const Communicators::Entry& entry = planned.by_ranks.at(ranks);
      std::shared_ptr<SharedMemory> part;
      if (entry.in_memory) {
        part = SharedMemory::part(memory, entry.offset, entry.geometry.total_bytes);
        if ((settings.flags & PS_WARM_UP) != 0) part->prefault(0, entry.geometry.rings_offset, "a group of the layout");
      }
      const uint64_t serial = agreed.serial | entry.number << kSerialShift;
      communicator = std::make_shared<Communicator>(world_, progress, serial, ranks, settings.backend,
                                                    make_plane(*world_, ranks, settings.backend, serial, entry.geometry,
                                                               std::move(part), settings.host_buffer_bytes,
                                                               constructor.dispatch(),
                                                               who_lacks_transport(*world_, ranks, said(ranks))));
      constructor.take_note(communicator, false);
    }
    const uint16_t tag = communicator->next_tag();
    if (tag >= Communicator::kMostGroups) {
      fail(PS_ERR_UNSUPPORTED, "layout '{}' has more than {} names for the same ranks", layout_->spec(),
           Communicator::kMostGroups);
    }
    GroupSettings own_settings = settings;
    own_settings.name = name.name;
    members_.push_back({name.name, std::make_shared<Group>(communicator, std::move(own_settings), tag,
                                                            attempts_of(ranks, attempts))});
    constructor.take_note(members_.back().group);
  }
  communicator_count_ = made.size();
  if ((settings.flags & PS_WARM_UP) != 0) {
    std::vector<std::shared_ptr<Communicator>> all;
    for (const auto& [ranks, communicator] : made) all.push_back(communicator);
    warm_up(*world_, all, deadline, [&] { attempt.check(everyone, attempts, "model-parallel groups"); });
  }
  for (const std::string_view name : {"dp", "pp", "tp", "ep", "moe_ep"}) {
    const auto group = find(name);
    if (!group || group->size() == 1) continue;
    worker_suffix_ += fmt::format("{}{}{}", worker_suffix_.empty() ? "" : "_", name, group->rank());
  }
  times_.groups_us = watch.lap_us();
  attempt.succeeded();
  record_return(*world_);
}

std::shared_ptr<Group> ModelParallel::find(std::string_view name) const {
  for (const Member& member : members_) {
    if (member.name == name) return member.group;
  }
  return nullptr;
}

ModelParallel::Communicators ModelParallel::plan(const GroupSettings& settings) const {
  Communicators planned;
  const int32_t node = world_->member(world_->rank()).node;
  const auto on_node = [&](int32_t rank) { return world_->member(rank).node == node; };
  uint64_t number = 0;
  for (const layout::Name& name : layout_->names()) {
    if (!name.alias_of.empty() || name.name == "world") continue;
    for (int64_t group = 0; group < name.rule.group_count(); ++group) {
      ++number;
      const Ranks ranks = members_of(name.rule, group);
      if (std::none_of(ranks.begin(), ranks.end(), on_node)) continue;
      const auto [entry, is_new] = planned.by_ranks.try_emplace(ranks);
      if (!is_new) continue;
      Communicators::Entry& communicator = entry->second;
      communicator.number = number;
      const Ranks mates = sharers(*world_, ranks, settings.backend);
      communicator.in_memory = !mates.empty();
      if (!communicator.in_memory) continue;
      communicator.geometry = Geometry::plan(static_cast<int>(mates.size()), settings.host_buffer_bytes);
      communicator.offset = planned.bytes;
      planned.pages += communicator.geometry.messages_offset;
      planned.bytes += whole_pages(communicator.geometry.total_bytes);
    }
  }
  return planned;
}

std::shared_ptr<SharedMemory> ModelParallel::share(const Communicators& planned, Offer& offer,
                                                   const TransientVector<std::string_view>& tickets, Deadline deadline,
                                                   const StopCheck& check) {
  if (planned.bytes == 0) return nullptr;
  const int32_t node = world_->member(world_->rank()).node;
  Ranks local;
  for (int32_t rank = 0; rank < world_->size(); ++rank) {
    if (world_->member(rank).node == node) local.push_back(rank);
  }
  const SharedNeed need{"parallelstate-layout", planned.bytes, planned.pages,
                        fmt::format("layout '{}' with {} lists of members on this host", layout_->spec(), planned.by_ranks.size())};
  return hand_over(*world_, offer, local.front() == world_->rank(), tickets[static_cast<size_t>(local.front())],
                   static_cast<int>(local.size()), need, deadline, check);
}

}  // namespace ps
