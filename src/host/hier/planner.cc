#include "host/hier/planner.h"

namespace ps {

bool Planner::can(Kind kind) const {
  switch (kind) {
    case Kind::kAllReduce:
    case Kind::kReduce:
    case Kind::kBroadcast:
    case Kind::kBarrier: return true;
    case Kind::kAllGather:
    case Kind::kAllGatherV:
    case Kind::kReduceScatter:
    case Kind::kReduceScatterV: return even_;
    default: return false;
  }
}

bool Planner::may(const Call& call) const {
  const Signature& signature = call.signature;
  if (!can(signature.kind)) return false;
  // The root of uneven hosts can only be reached through its leader, who would have to keep all of it.
  if (signature.kind == Kind::kReduce && !even_ && place(call.root()) != 0) return false;
  if (!reduces(signature.kind) || (signature.flags & PS_DETERMINISTIC) == 0) return true;
  return !depends_on_order(signature.dtype, signature.op);
}

std::vector<Stage> Planner::plan(const Call& call, uint64_t number, bool striped) {
  whole_ = &call;
  number_ = number;
  stages_.clear();
  switch (call.signature.kind) {
    case Kind::kAllReduce: striped ? all_reduce_striped(call) : all_reduce(call); break;
    case Kind::kReduce: reduce(call); break;
    case Kind::kReduceScatter:
    case Kind::kReduceScatterV: reduce_scatter(call); break;
    case Kind::kAllGather:
    case Kind::kAllGatherV: all_gather(call); break;
    case Kind::kBroadcast: broadcast(call); break;
    default: barrier(call); break;
  }
  return std::move(stages_);
}

int Planner::add(Row row, Kind kind, int root, Call call, int after) {
  const bool on_host = row == Row::kHost;
  call.signature = whole_->signature;
  call.signature.group |= static_cast<uint16_t>(number_ << kTagBits);
  call.part = Call::Part{kind, root};
  Stage stage;
  stage.row = row;
  stage.plane = on_host ? planes_.host : static_cast<Plane*>(planes_.across);
  stage.ranks = on_host ? &hosts_.own_members() : &hosts_.column;
  stage.sequence = on_host ? ++planes_.host_sequence : ++planes_.across_sequence;
  stage.after = after;
  stage.call = std::move(call);
  stages_.push_back(std::move(stage));
  return static_cast<int>(stages_.size()) - 1;
}

int Planner::convert(Row row, ReduceKernel kernel, double factor, const std::byte* from, std::byte* to, size_t bytes,
                     size_t element, int after) {
  Stage stage;
  stage.row = row;
  stage.after = after;
  stage.call.kernel = kernel;
  stage.call.scale = factor;
  stage.call.element = element;
  stage.call.input.base = const_cast<std::byte*>(from);
  stage.call.output.base = to;
  stage.call.output.bytes = bytes;
  stages_.push_back(std::move(stage));
  return static_cast<int>(stages_.size()) - 1;
}

}  // namespace ps
