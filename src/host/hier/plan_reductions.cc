// Reductions in stages: combined on each host, then across hosts. Partial results are what find_partial_reduction says, so
// that 8- and 16-bit floats are rounded once, and an average is divided once.
#include <memory>
#include <utility>

#include "host/hier/chunks.h"
#include "host/hier/planner.h"

namespace ps {
namespace {

// How a call's inputs become partial results, and those its result.
struct Parts {
  explicit Parts(const Call& call, size_t members)
      : kernels(find_partial_reduction(call.signature.dtype, call.signature.op)),
        element(kernels.widen != nullptr ? sizeof(float) : call.element),
        divisor(call.signature.op == PS_AVG ? static_cast<double>(members) : 1.0) {}

  bool wide() const { return kernels.widen != nullptr; }

  PartialReduction kernels;
  size_t element;  // of a partial result
  double divisor;
};

// `combined`: the inputs are partial results already, with their factors in them.
Call combining(const Call& whole, const Parts& parts, bool combined) {
  Call call;
  call.kernel = parts.kernels.combine;
  call.scale = combined ? 1.0 : whole.scale;
  call.element = parts.element;
  return call;
}

Blocks block(const std::byte* base, size_t bytes) {
  Blocks blocks;
  blocks.base = const_cast<std::byte*>(base);
  blocks.bytes = bytes;
  return blocks;
}

}  // namespace

void Planner::all_reduce(const Call& call) {
  const Parts parts(call, hosts_.host_of.size());
  const auto front = [&](const Chunk& chunk, int after) {
    const std::byte* from = call.input.base + chunk.begin * call.element;
    std::byte* const result = call.output.base + chunk.begin * call.element;
    std::byte* const partial = scratch_.partial(chunk.parity);
    const size_t bytes = chunk.count * parts.element;
    bool combined = false;
    if (parts.wide()) {
      std::byte* const widened = planes_.host ? scratch_.widened() : partial;
      after = convert(Row::kHost, parts.kernels.widen, call.scale, from, widened, bytes, parts.element, after);
      from = widened;
      combined = true;
    }
    if (planes_.host) {
      Call on_host = combining(call, parts, combined);
      on_host.all_read = false;
      on_host.input = block(from, bytes);
      on_host.output = block(partial, bytes);
      after = add(Row::kHost, Kind::kReduce, 0, std::move(on_host), after);
      from = partial;
      combined = true;
    }
    if (!is_across(0)) return after;
    Call exchange = combining(call, parts, combined);
    exchange.input = block(from, bytes);
    exchange.output = block(parts.wide() ? partial : result, bytes);
    const std::byte* const sum = exchange.output.base;
    after = add(Row::kAcross, Kind::kAllReduce, 0, std::move(exchange), after);
    if (parts.kernels.finish == nullptr) return after;
    const size_t done = chunk.count * call.element;
    return convert(Row::kAcross, parts.kernels.finish, parts.divisor, sum, result, done, call.element, after);
  };
  const auto back = [&](const Chunk& chunk, int after) {
    if (planes_.host == nullptr) return after;
    Call share;
    share.element = call.element;
    share.all_stage = false;
    share.input = block(call.output.base + chunk.begin * call.element, chunk.count * call.element);
    share.output = share.input;
    return add(Row::kHost, Kind::kBroadcast, 0, std::move(share), after);
  };
  plan_in_chunks(call.input.bytes / call.element, scratch_.chunk_bytes() / parts.element, front, back);
}

// Every member combines a share of each piece on its host, and the columns exchange the shares: two stages, side by side.
void Planner::all_reduce_striped(const Call& call) {
  const Parts parts(call, hosts_.host_of.size());
  const auto relay = std::make_shared<Relay>();
  relay->partial_element = parts.element;
  relay->result_element = call.element;
  // A member of the column has a part of the share, in runs of lines.
  relay->most_share = planes_.across->piece_bytes() / (64 * parts.element) * (64 * parts.element) * (hosts_.members.size() / Relay::turns(hosts_.members.size()));
  relay->widen = parts.kernels.widen;
  relay->finish = parts.kernels.finish;
  relay->divisor = parts.divisor;
  Call on_host = combining(call, parts, false);
  on_host.element = call.element;
  on_host.input = call.input;
  on_host.output = call.output;
  on_host.relay = relay.get();
  add(Row::kHost, Kind::kAllReduce, 0, std::move(on_host), Stage::kNothing);
  stages_.back().relay = relay;
  Call exchange = combining(call, parts, true);
  exchange.relay = relay.get();
  add(Row::kAcross, Kind::kAllReduce, 0, std::move(exchange), Stage::kNothing);
  stages_.back().relay = relay;
}

void Planner::reduce(const Call& call) {
  const Parts parts(call, hosts_.host_of.size());
  const int root = call.root();
  const int through = port(root);
  const auto front = [&](const Chunk& chunk, int after) {
    const std::byte* from = call.input.base + chunk.begin * call.element;
    std::byte* const partial = scratch_.partial(chunk.parity);
    const size_t bytes = chunk.count * parts.element;
    bool combined = false;
    if (parts.wide()) {
      std::byte* const widened = planes_.host ? scratch_.widened() : partial;
      after = convert(Row::kHost, parts.kernels.widen, call.scale, from, widened, bytes, parts.element, after);
      from = widened;
      combined = true;
    }
    if (planes_.host) {
      Call on_host = combining(call, parts, combined);
      on_host.all_read = false;
      on_host.input = block(from, bytes);
      on_host.output = block(partial, bytes);
      after = add(Row::kHost, Kind::kReduce, through, std::move(on_host), after);
      from = partial;
      combined = true;
    }
    if (!is_across(through)) return after;
    std::byte* const result = rank_ == root ? call.output.base + chunk.begin * call.element : nullptr;
    Call exchange = combining(call, parts, combined);
    exchange.all_read = false;
    exchange.input = block(from, bytes);
    exchange.output = block(parts.wide() ? partial : result, bytes);
    const std::byte* const sum = exchange.output.base;
    after = add(Row::kAcross, Kind::kReduce, host_of(root), std::move(exchange), after);
    if (parts.kernels.finish == nullptr || rank_ != root) return after;
    return convert(Row::kAcross, parts.kernels.finish, parts.divisor, sum, result, chunk.count * call.element, call.element,
                   after);
  };
  plan_in_chunks(call.input.bytes / call.element, scratch_.chunk_bytes() / parts.element, front,
                 [](const Chunk&, int after) { return after; });
}

// Each member combines, for every host, the block of the one at its own place there; the column exchanges those.
void Planner::reduce_scatter(const Call& call) {
  const Parts parts(call, hosts_.host_of.size());
  const size_t host_count = hosts_.members.size();
  const size_t mates = hosts_.own_members().size();
  size_t largest = 0;
  for (int member = 0; member < static_cast<int>(hosts_.host_of.size()); ++member) {
    largest = std::max(largest, call.input.size(member) / call.element);
  }
  const auto front = [&](const Chunk& chunk, int after) {
    const auto piece = [&](int member) {  // elements of the chunk in a member's block
      const size_t whole = call.input.size(member) / call.element;
      return std::min(chunk.count, whole - std::min(chunk.begin, whole));
    };
    Call exchange = combining(call, parts, true);
    exchange.columns = true;
    std::byte* const partial = scratch_.partial(chunk.parity);
    Blocks::Lists for_hosts;
    size_t filled = 0;
    for (size_t host = 0; host < host_count; ++host) {
      Call on_host = combining(call, parts, parts.wide());
      on_host.columns = true;
      Blocks::Lists columns;
      size_t widened = 0;
      for (const int member : hosts_.members[host]) {
        const size_t bytes = piece(member) * parts.element;
        const size_t begin = call.input.offset(member) + chunk.begin * call.element;
        columns.sizes.push_back(bytes);
        columns.offsets.push_back(parts.wide() ? widened : begin);
        if (!parts.wide()) continue;
        after = convert(Row::kHost, parts.kernels.widen, call.scale, call.input.base + begin, scratch_.widened() + widened,
                        bytes, parts.element, after);
        widened += bytes;
      }
      on_host.input = Blocks::unequal(parts.wide() ? scratch_.widened() : call.input.base, std::move(columns));
      const size_t bytes = piece(hosts_.column[host]) * parts.element;
      on_host.output = block(partial + filled, bytes);
      after = add(Row::kHost, Kind::kReduceScatter, 0, std::move(on_host), after);
      for_hosts.sizes.push_back(bytes);
      for_hosts.offsets.push_back(filled);
      filled += bytes;
    }
    std::byte* const result = call.output.base + chunk.begin * call.element;
    exchange.input = Blocks::unequal(partial, std::move(for_hosts));
    std::byte* const own = exchange.input.at(hosts_.own);
    exchange.output = block(parts.wide() ? own : result, piece(rank_) * parts.element);
    const std::byte* const sum = exchange.output.base;
    after = add(Row::kAcross, Kind::kReduceScatter, 0, std::move(exchange), after);
    if (parts.kernels.finish == nullptr) return after;
    return convert(Row::kAcross, parts.kernels.finish, parts.divisor, sum, result, piece(rank_) * call.element, call.element,
                   after);
  };
  plan_in_chunks(largest, scratch_.chunk_bytes() / parts.element / std::max(host_count, mates), front,
                 [](const Chunk&, int after) { return after; });
}

}  // namespace ps
