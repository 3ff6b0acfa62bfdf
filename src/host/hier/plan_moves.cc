// Collectives in stages that move data as it is, and barriers.
#include <memory>
#include <utility>

#include "host/hier/chunks.h"
#include "host/hier/planner.h"

namespace ps {

// Each column gathers its blocks from all hosts; then the members of a host give each other their columns. The barrier is
// what tells a column that the members of its hosts have called the same.
void Planner::all_gather(const Call& call) {
  const size_t host_count = hosts_.members.size();
  size_t largest = 0;
  for (int member = 0; member < static_cast<int>(hosts_.host_of.size()); ++member) {
    largest = std::max(largest, call.output.size(member) / call.element);
  }
  Call together;
  together.element = call.element;
  const int called = add(Row::kHost, Kind::kBarrier, 0, std::move(together), Stage::kNothing);
  const auto piece = [&](const Chunk& chunk, int member) {  // bytes of the chunk in a member's block
    const size_t whole = call.output.size(member) / call.element;
    return std::min(chunk.count, whole - std::min(chunk.begin, whole)) * call.element;
  };
  const auto results = [&](const Chunk& chunk, const std::vector<int>& members) {
    Blocks::Lists lists;
    for (const int member : members) {
      lists.sizes.push_back(piece(chunk, member));
      lists.offsets.push_back(call.output.offset(member) + chunk.begin * call.element);
    }
    return Blocks::unequal(call.output.base, std::move(lists));
  };
  const auto front = [&](const Chunk& chunk, int after) {
    Call exchange;
    exchange.element = call.element;
    exchange.input.base = call.input.base + chunk.begin * call.element;
    exchange.input.bytes = piece(chunk, rank_);
    exchange.output = results(chunk, hosts_.column);
    return add(Row::kAcross, Kind::kAllGather, 0, std::move(exchange), std::max(after, called));
  };
  const auto back = [&](const Chunk& chunk, int after) {
    for (size_t host = 0; host < host_count; ++host) {
      Call share;
      share.element = call.element;
      share.output = results(chunk, hosts_.members[host]);
      share.input.base = share.output.at(own_place());
      share.input.bytes = share.output.size(own_place());
      after = add(Row::kHost, Kind::kAllGather, 0, std::move(share), after);
    }
    return after;
  };
  plan_in_chunks(largest, scratch_.chunk_bytes() / call.element / host_count, front, back);
}

void Planner::broadcast(const Call& call) {
  const int root = call.root();
  const int through = port(root);
  const bool on_root_host = host_of(root) == hosts_.own;
  const bool through_leader = on_root_host && through != place(root);
  const auto part = [&](const Chunk& chunk) {
    Call copy;
    copy.element = call.element;
    copy.all_stage = false;
    copy.output.base = call.output.base + chunk.begin * call.element;
    copy.output.bytes = chunk.count * call.element;
    copy.input = copy.output;
    if (rank_ == root) copy.input.base = call.input.base + chunk.begin * call.element;
    return copy;
  };
  const auto share = [&](const Chunk& chunk, int after) {
    return add(Row::kHost, Kind::kBroadcast, on_root_host ? place(root) : through, part(chunk), after);
  };
  const auto front = [&](const Chunk& chunk, int after) {
    if (through_leader) after = share(chunk, after);
    if (!is_across(through)) return after;
    Call exchange = part(chunk);
    // On its own host's board it writes its output.
    if (rank_ == root && planes_.host != nullptr) exchange.output.base = exchange.input.base;
    return add(Row::kAcross, Kind::kBroadcast, host_of(root), std::move(exchange), after);
  };
  const auto back = [&](const Chunk& chunk, int after) {
    if (planes_.host == nullptr || through_leader) return after;
    return share(chunk, on_root_host ? Stage::kNothing : after);
  };
  plan_in_chunks(call.output.bytes / call.element, scratch_.chunk_bytes() / call.element, front, back);
}

void Planner::barrier(const Call&) {
  int after = Stage::kNothing;
  Call gather;
  gather.all_read = false;
  if (planes_.host) after = add(Row::kHost, Kind::kGather, 0, std::move(gather), after);
  if (is_across(0)) after = add(Row::kAcross, Kind::kBarrier, 0, Call{}, after);
  Call release;
  release.all_stage = false;
  if (planes_.host) add(Row::kHost, Kind::kBroadcast, 0, std::move(release), after);
}

}  // namespace ps
