#include "host/hier/hier_plane.h"

#include "base/deadline.h"

namespace ps {
namespace {

constexpr int64_t kLongNs = 500'000'000;

// Whether partial results of a host are what the whole would have had there.
bool may_be_staged(const Call& call) {
  const Signature& signature = call.signature;
  if ((signature.flags & PS_DETERMINISTIC) != 0) return false;
  if (signature.kind == Kind::kBroadcast || signature.kind == Kind::kBarrier) return true;
  if (signature.kind != Kind::kAllReduce || signature.op == PS_AVG) return false;
  switch (signature.dtype) {
    case PS_FLOAT16:
    case PS_BFLOAT16:
    case PS_FLOAT8_E4M3:
    case PS_FLOAT8_E5M2: return false;
    default: return true;
  }
}

}  // namespace

HierPlane::HierPlane(Hosts hosts, int rank, std::unique_ptr<ShmPlane> host, std::unique_ptr<NetPlane> flat,
                     std::unique_ptr<NetPlane> leaders)
    : hosts_(std::move(hosts)),
      rank_(rank),
      host_(std::move(host)),
      flat_(std::move(flat)),
      leaders_(std::move(leaders)),
      mailbox_(rank, static_cast<int>(hosts_.host_of.size()), [this](int peer) {
        return on_own_host(peer) ? host_->open_path(place(peer)) : flat_->open_path(peer);
      }) {}

void HierPlane::connect() {
  flat_->connect();
  if (leaders_) leaders_->connect();
}

void HierPlane::start(Call&& call, uint64_t sequence, OperationSlot& slot) {
  if (!may_be_staged(call)) return flat_->start(std::move(call), sequence, slot);
  const Signature signature = call.signature;
  std::vector<Stage> stages = signature.kind == Kind::kAllReduce   ? all_reduce(call)
                              : signature.kind == Kind::kBroadcast ? broadcast(call)
                                                                   : barrier(call);
  slot.emplace<HierOperation>(*this, signature, sequence, std::move(stages));
}

Stage HierPlane::on_host(Call call, Kind kind, int root) {
  call.part = Call::Part{kind, root};
  return {host_.get(), &hosts_.own_members(), std::move(call), ++host_sequence_};
}

Stage HierPlane::among_leaders(Call call, Kind kind, int root) {
  call.part = Call::Part{kind, root};
  return {leaders_.get(), &hosts_.leaders, std::move(call), ++leaders_sequence_};
}

std::vector<Stage> HierPlane::all_reduce(const Call& call) {
  std::vector<Stage> stages;
  if (host_) {
    Call reduce = call;
    reduce.all_read = false;
    stages.push_back(on_host(std::move(reduce), Kind::kReduce, 0));
  }
  if (leaders_) {
    Call exchange = call;
    if (host_) {
      exchange.input = call.output;
      exchange.scale = 1.0;  // it is in the partial sums
    }
    stages.push_back(among_leaders(std::move(exchange), Kind::kAllReduce, 0));
  }
  if (host_) {
    Call share = call;
    share.input = call.output;
    share.all_stage = false;
    share.kernel = nullptr;
    stages.push_back(on_host(std::move(share), Kind::kBroadcast, 0));
  }
  return stages;
}

std::vector<Stage> HierPlane::broadcast(const Call& call) {
  const int root = call.root();
  const bool on_root_host = host_of(root) == hosts_.own;
  std::vector<Stage> stages;
  if (host_ && on_root_host) stages.push_back(on_host(call, Kind::kBroadcast, place(root)));
  if (leaders_) {
    Call exchange = call;
    if (rank_ != root) exchange.input = call.output;
    stages.push_back(among_leaders(std::move(exchange), Kind::kBroadcast, host_of(root)));
  }
  if (host_ && !on_root_host) {
    Call share = call;
    share.input = call.output;
    stages.push_back(on_host(std::move(share), Kind::kBroadcast, 0));
  }
  return stages;
}

std::vector<Stage> HierPlane::barrier(const Call& call) {
  std::vector<Stage> stages;
  if (host_) {
    Call gather = call;
    gather.all_read = false;
    stages.push_back(on_host(std::move(gather), Kind::kGather, 0));
  }
  if (leaders_) stages.push_back(among_leaders(call, Kind::kBarrier, 0));
  if (host_) {
    Call release = call;
    release.all_stage = false;
    stages.push_back(on_host(std::move(release), Kind::kBroadcast, 0));
  }
  return stages;
}

void HierPlane::note_progress(const Signature& signature, uint64_t sequence, bool done) {
  if (done) {
    waiting_since_ns_ = 0;
    return;
  }
  const int64_t now = monotonic_ns();
  if (waiting_since_ns_ == 0) waiting_since_ns_ = now;
  if (now - waiting_since_ns_ < kLongNs) return;
  flat_->compare_begun(sequence, signature);
}

// What one of the planes knows, all of them shall: each reaches others.
void HierPlane::record_failure(const Error& error) {
  if (host_) host_->record_failure(error);
  if (leaders_) leaders_->record_failure(error);
  flat_->record_failure(error);
}

std::optional<Error> HierPlane::recorded_failure() {
  for (Plane* plane : std::initializer_list<Plane*>{host_.get(), leaders_.get(), flat_.get()}) {
    const auto failure = plane == nullptr ? std::nullopt : plane->recorded_failure();
    if (!failure) continue;
    record_failure(*failure);
    return failure;
  }
  return std::nullopt;
}

void HierPlane::mark_freed(uint16_t tag) {
  if (host_) host_->mark_freed(tag);
  if (leaders_) leaders_->mark_freed(tag);
  flat_->mark_freed(tag);
}

// What a member says through shared memory may overtake its data on the network, also on one host: whatever goes the flat
// way does. So every plane that has to do with the member must have heard it.
bool HierPlane::has_freed(int member, uint16_t tag) {
  NetPlane* const leaders = shared_with(member);
  if (flat_->is_linked(member) && !flat_->has_freed(member, tag)) return false;
  if (leaders != nullptr && leaders->is_linked(host_of(member)) && !leaders->has_freed(host_of(member), tag)) return false;
  if (on_own_host(member)) return host_->has_freed(place(member), tag);
  return flat_->has_freed(member, tag) || (leaders != nullptr && leaders->has_freed(host_of(member), tag));
}

bool HierPlane::has_heard_out(int member) {
  NetPlane* const leaders = shared_with(member);
  return flat_->has_heard_out(member) && (leaders == nullptr || leaders->has_heard_out(host_of(member)));
}

std::string HierPlane::loss(int member) {
  NetPlane* const leaders = shared_with(member);
  std::string lost = leaders == nullptr ? "" : leaders->loss(host_of(member));
  return lost.empty() ? flat_->loss(member) : lost;
}

void HierPlane::leave(Deadline deadline) {
  if (leaders_) leaders_->leave(deadline);
  flat_->leave(deadline);
}

}  // namespace ps
