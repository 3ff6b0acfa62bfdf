#include "host/hier/hier_plane.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <iterator>

#include "base/deadline.h"
#include "host/shm/staged_blocks.h"

namespace ps {
namespace {

constexpr int64_t kLongNs = 500'000'000;

// Of a rank's memory for what goes between hosts.
constexpr size_t kLeastChunk = 64 << 10;
constexpr size_t kMostChunk = 1 << 20;

}  // namespace

HierPlane::HierPlane(Hosts hosts, int rank, std::unique_ptr<ShmPlane> host, std::unique_ptr<NetPlane> flat,
                     std::unique_ptr<NetPlane> across, uint64_t budget, const Dispatch& dispatch)
    : hosts_(std::move(hosts)),
      rank_(rank),
      host_(std::move(host)),
      flat_(std::move(flat)),
      across_(std::move(across)),
      planes_{host_.get(), across_.get()},
      scratch_(std::clamp<size_t>(std::bit_floor(budget / 4), kLeastChunk, kMostChunk)),
      planner_(hosts_, rank, planes_, scratch_),
      choices_(dispatch, kDispatchName, static_cast<int>(hosts_.host_of.size()), true,
               [this](const DispatchRow& row, Kind kind) {
                 return runs(row.algorithm, kind) ? std::optional<size_t>(SIZE_MAX) : std::nullopt;
               }),
      mailbox_(rank, [this](int peer) {
        return on_own_host(peer) ? host_->open_path(place(peer)) : flat_->open_path(peer);
      }, paths_) {}

bool HierPlane::runs(Algorithm algorithm, Kind kind) const {
  switch (algorithm) {
    case Algorithm::kFlat: return true;
    case Algorithm::kStaged: return planner_.can(kind);
    case Algorithm::kStriped: return kind == Kind::kAllReduce && hosts_.is_even();
    default: return false;
  }
}

void HierPlane::connect() {
  flat_->connect();
  if (across_) across_->connect();
}

void HierPlane::start(Call&& call, uint64_t sequence, OperationSlot& slot) {
  const Signature signature = call.signature;
  const size_t bytes = call.uneven ? SIZE_MAX : StagedBlocks::bytes_of(call, static_cast<int>(hosts_.host_of.size()));
  Algorithm algorithm = choices_.find(signature.kind, bytes).value_or(Algorithm::kFlat);
  if (!planner_.may(call)) algorithm = Algorithm::kFlat;
  paths_.add(signature.kind, path_of(algorithm));
  if (algorithm == Algorithm::kFlat) return flat_->start(std::move(call), sequence, slot);
  slot.emplace<HierOperation>(*this, signature, sequence, planner_.plan(call, sequence, algorithm == Algorithm::kStriped));
}

std::vector<int> HierPlane::retract_messages() {
  std::vector<int> ranks;
  if (!host_) return ranks;
  for (const int mate : host_->retract_messages()) ranks.push_back(hosts_.own_members()[static_cast<size_t>(mate)]);
  return ranks;
}

void HierPlane::note_progress(const Signature& signature, uint64_t sequence, bool moved) {
  if (moved) {
    waiting_since_ns_ = 0;
    return;
  }
  const int64_t now = monotonic_ns();
  if (waiting_since_ns_ == 0) waiting_since_ns_ = now;
  if (now - waiting_since_ns_ < kLongNs) return;
  if (announced_ != sequence) flat_->announce(sequence, signature);
  announced_ = sequence;
  flat_->compare_begun(sequence, signature);
}

// Who waits long has announced it. So who is awaited and has not is missing; where all of them have, they wait for others:
// for some of those that have not. With a root, these may as well have ended their part long ago.
std::vector<int> HierPlane::missing(const std::vector<int>& awaited, const Signature& signature, uint64_t sequence) const {
  const auto is_silent = [&](int member) { return member != rank_ && !flat_->reached(member, sequence); };
  std::vector<int> silent;
  std::copy_if(awaited.begin(), awaited.end(), std::back_inserter(silent), is_silent);
  if (!silent.empty() || has_root(signature.kind)) return silent.empty() ? awaited : silent;
  for (int member = 0; member < static_cast<int>(hosts_.host_of.size()); ++member) {
    if (is_silent(member)) silent.push_back(member);
  }
  return silent.empty() ? awaited : silent;
}

// What one of the planes knows, all of them shall: each reaches others.
void HierPlane::record_failure(const Error& error) {
  if (host_) host_->record_failure(error);
  if (across_) across_->record_failure(error);
  flat_->record_failure(error);
}

std::optional<Error> HierPlane::recorded_failure() {
  for (Plane* plane : std::initializer_list<Plane*>{host_.get(), across_.get(), flat_.get()}) {
    const auto failure = plane == nullptr ? std::nullopt : plane->recorded_failure();
    if (!failure) continue;
    record_failure(*failure);
    return failure;
  }
  return std::nullopt;
}

void HierPlane::mark_freed(uint16_t tag) {
  if (host_) host_->mark_freed(tag);
  if (across_) across_->mark_freed(tag);
  flat_->mark_freed(tag);
}

// What a member says through shared memory may overtake its data on the network, also on one host: whatever goes the flat
// way does. So every plane that has to do with the member must have heard it.
bool HierPlane::has_freed(int member, uint16_t tag) {
  NetPlane* const across = shared_with(member);
  if (flat_->is_linked(member) && !flat_->has_freed(member, tag)) return false;
  if (across != nullptr && across->is_linked(host_of(member)) && !across->has_freed(host_of(member), tag)) return false;
  if (on_own_host(member)) return host_->has_freed(place(member), tag);
  return flat_->has_freed(member, tag) || (across != nullptr && across->has_freed(host_of(member), tag));
}

bool HierPlane::has_heard_out(int member) {
  NetPlane* const across = shared_with(member);
  return flat_->has_heard_out(member) && (across == nullptr || across->has_heard_out(host_of(member)));
}

std::string HierPlane::loss(int member) {
  NetPlane* const across = shared_with(member);
  std::string lost = across == nullptr ? "" : across->loss(host_of(member));
  return lost.empty() ? flat_->loss(member) : lost;
}

void HierPlane::rest() {
  if (across_) across_->rest();
  flat_->rest();
}

void HierPlane::leave(Deadline deadline) {
  if (across_) across_->leave(deadline);
  flat_->leave(deadline);
}

}  // namespace ps
