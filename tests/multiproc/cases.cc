#include "cases.h"

#include <numeric>
#include <set>

#include "reference.h"

namespace ps_test {
namespace {

bool has_columns(Operation operation) {
  switch (operation) {
    case Operation::kReduceScatter:
    case Operation::kReduceScatterV:
    case Operation::kScatter:
    case Operation::kScatterV:
    case Operation::kAllToAll:
    case Operation::kAllToAllV:
    case Operation::kBatch: return true;
    default: return false;
  }
}

bool is_message(Operation operation) { return operation >= Operation::kSendAndRecv; }

// Element counts for numbers of bytes that a rank contributes.
std::set<size_t> counts_of(const std::vector<size_t>& bytes, Operation operation, psDataType dtype, int size) {
  const size_t blocks = has_columns(operation) ? static_cast<size_t>(size) : 1;
  std::set<size_t> counts;
  for (const size_t b : bytes) {
    const size_t whole = b / size_of(dtype) / blocks;
    counts.insert({whole, whole + 1});
    if (whole > 0) counts.insert(whole - 1);
  }
  return counts;
}

// Zero, all, half and one more.
size_t unequal(const Case& c, size_t which) {
  const size_t counts[] = {c.count, 0, c.count / 2, c.count + 1};
  return counts[(which + c.seed) % 4];
}

// What rank `from` has for rank `to` in all_to_all_v. In place both directions of a pair are equal.
size_t between(const Case& c, size_t from, size_t to) { return unequal(c, c.in_place ? from + to : 3 * from + to); }

// Where blocks begin: packed, or in the opposite order with three elements before each.
std::vector<size_t> place_blocks(const Case& c, const std::vector<size_t>& counts, size_t* extent) {
  std::vector<size_t> offsets(counts.size());
  size_t at = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const size_t block = c.gaps ? counts.size() - 1 - i : i;
    if (c.gaps) at += 3;
    offsets[block] = at;
    at += counts[block];
  }
  *extent = at;
  return offsets;
}

std::vector<size_t> counts_from(const Case& c, size_t rank, size_t n) {
  std::vector<size_t> counts(n);
  for (size_t to = 0; to < n; ++to) counts[to] = between(c, rank, to);
  return counts;
}

void add_variants(std::vector<Case>& cases, Case c, int size, uint32_t& seed) {
  for (int variant = 0; variant < 4; ++variant) {
    c.in_place = (variant & 1) != 0;
    c.asynchronous = (variant & 2) != 0;
    if (is_message(c.operation) && c.in_place) continue;
    ++seed;
    c.seed = seed;
    c.gaps = has_offsets(c.operation) && seed % 3 != 0;
    c.unaligned = seed % 5 == 0;
    c.root = has_root(c.operation) ? static_cast<int>(seed % static_cast<uint32_t>(size)) : 0;
    cases.push_back(c);
  }
}

std::vector<Case> every(const std::vector<Case>& cases, size_t first, size_t stride) {
  std::vector<Case> chosen;
  for (size_t i = first % stride; i < cases.size(); i += stride) chosen.push_back(cases[i]);
  return chosen;
}

}  // namespace

bool reduces(Operation operation) { return operation <= Operation::kReduceScatterV; }

bool has_root(Operation operation) {
  switch (operation) {
    case Operation::kReduce:
    case Operation::kBroadcast:
    case Operation::kGather:
    case Operation::kGatherV:
    case Operation::kScatter:
    case Operation::kScatterV: return true;
    default: return false;
  }
}

bool has_offsets(Operation operation) {
  switch (operation) {
    case Operation::kAllGatherV:
    case Operation::kGatherV:
    case Operation::kScatterV:
    case Operation::kAllToAllV: return true;
    default: return false;
  }
}

std::string Case::describe() const {
  constexpr const char* kNames[] = {"all_reduce", "reduce",       "reduce_scatter", "reduce_scatter_v", "broadcast",
                                    "all_gather", "all_gather_v", "gather",         "gather_v",         "scatter",
                                    "scatter_v",  "all_to_all",   "all_to_all_v",   "barrier",          "send and recv",
                                    "send_recv",  "batch"};
  return std::string(kNames[static_cast<int>(operation)]) + " of " + std::to_string(count) + " " + name_of(dtype) +
         " " + reduction_name(op) + " root " + std::to_string(root) + (in_place ? " in place" : "") +
         (asynchronous ? " asynchronous" : "") + (gaps ? " with gaps" : "") + (unaligned ? " unaligned" : "") +
         " seed " + std::to_string(seed);
}

std::vector<Case> small_cases(int size, size_t first, size_t stride) {
  const std::vector<size_t> bytes = {0, 8, 32, 1000};
  std::vector<Case> cases;
  uint32_t seed = 0;
  for (psDataType dtype = kFirstType; dtype <= kLastType; ++dtype) {
    for (psReduceOp op = 0; op <= PS_PREMUL_SUM; ++op) {
      if (op != 0 && !is_legal(dtype, op)) continue;
      for (int i = 0; i < kOperations; ++i) {
        Case c;
        c.operation = static_cast<Operation>(i);
        if (reduces(c.operation) != (op != 0)) continue;
        c.dtype = dtype;
        c.op = op;
        for (const size_t count : counts_of(bytes, c.operation, dtype, size)) {
          c.count = count;
          add_variants(cases, c, size, seed);
        }
      }
    }
  }
  return every(cases, first, stride);
}

std::vector<Case> large_cases(int size, size_t first, size_t stride) {
  const std::vector<size_t> bytes = {8 << 10, 64 << 10, 256 << 10, 600'000, 1 << 20, 3 << 20};
  std::vector<Case> cases;
  int turn = 0;
  uint32_t seed = 0;
  for (const size_t b : bytes) {
    for (int i = 0; i < kOperations; ++i) {
      Case c;
      c.operation = static_cast<Operation>(i);
      if (c.operation == Operation::kBarrier) continue;
      for (int round = 0; round < 3; ++round) {
        c.dtype = kFirstType + turn++ % kLastType;
        if (reduces(c.operation)) {
          do {
            c.op = 1 + turn++ % PS_PREMUL_SUM;
          } while (!is_legal(c.dtype, c.op));
        }
        const auto counts = counts_of({b}, c.operation, c.dtype, size);
        c.count = *std::next(counts.begin(), static_cast<long>(static_cast<size_t>(round) % counts.size()));
        std::vector<Case> variants;
        add_variants(variants, c, size, seed);
        cases.push_back(variants[static_cast<size_t>(turn) % variants.size()]);
      }
    }
  }
  return every(cases, first, stride);
}

Plan make_plan(const Case& c, int own_rank, int size) {
  const auto n = static_cast<size_t>(size);
  const auto rank = static_cast<size_t>(own_rank);
  const auto root = static_cast<size_t>(c.root);
  const bool is_root = own_rank == c.root;
  const std::vector<size_t> equal(n, c.count);
  std::vector<size_t> some(n);
  for (size_t i = 0; i < n; ++i) some[i] = unequal(c, i);
  Plan plan;
  const auto gather = [&](const std::vector<size_t>& counts, bool offsets) {
    Case layout = c;
    layout.gaps = c.gaps && offsets;
    plan.input = counts[rank];
    plan.recv_counts = counts;
    if (c.operation != Operation::kAllGather && c.operation != Operation::kAllGatherV && !is_root) return;
    plan.recv_offsets = place_blocks(layout, counts, &plan.output);
    for (size_t i = 0; i < n; ++i) plan.blocks.push_back({plan.recv_offsets[i], counts[i], static_cast<int>(i), 0});
    plan.own_at = plan.recv_offsets[rank];
  };
  const auto scatter = [&](const std::vector<size_t>& counts, int from) {
    size_t extent = 0;
    plan.send_counts = counts;
    plan.send_offsets = place_blocks(c, counts, &extent);
    plan.within_output = false;
    plan.own_at = plan.send_offsets[rank];
    if (from == Pattern::kFold || is_root) plan.input = extent;
    plan.output = counts[rank];
    plan.blocks = {{0, counts[rank], from, plan.send_offsets[rank]}};
  };
  switch (c.operation) {
    case Operation::kBarrier: break;
    case Operation::kAllReduce:
    case Operation::kReduce:
      plan.input = c.count;
      if (c.operation == Operation::kReduce && !is_root) break;
      plan.output = c.count;
      plan.blocks = {{0, c.count, Pattern::kFold, 0}};
      break;
    case Operation::kBroadcast:
      plan.input = is_root ? c.count : 0;
      plan.output = c.count;
      plan.blocks = {{0, c.count, c.root, 0}};
      break;
    case Operation::kAllGather:
    case Operation::kGather: gather(equal, false); break;
    case Operation::kAllGatherV:
    case Operation::kGatherV: gather(some, true); break;
    case Operation::kReduceScatter: scatter(equal, Pattern::kFold); break;
    case Operation::kReduceScatterV: scatter(some, Pattern::kFold); break;
    case Operation::kScatter: scatter(equal, static_cast<int>(root)); break;
    case Operation::kScatterV: scatter(some, static_cast<int>(root)); break;
    case Operation::kAllToAll:
    case Operation::kAllToAllV:
    case Operation::kBatch: {
      const bool same = c.operation == Operation::kAllToAll;
      plan.send_counts = same ? equal : counts_from(c, rank, n);
      plan.send_offsets = place_blocks(c, plan.send_counts, &plan.input);
      plan.recv_counts = plan.send_counts;
      for (size_t i = 0; i < n && !same; ++i) plan.recv_counts[i] = between(c, i, rank);
      plan.recv_offsets = place_blocks(c, plan.recv_counts, &plan.output);
      for (size_t i = 0; i < n; ++i) {
        size_t ignored = 0;
        const auto theirs = place_blocks(c, same ? equal : counts_from(c, i, n), &ignored);
        plan.blocks.push_back({plan.recv_offsets[i], plan.recv_counts[i], static_cast<int>(i), theirs[rank]});
      }
      break;
    }
    case Operation::kSendAndRecv:
    case Operation::kSendRecv: {
      // To the next rank; send and recv go to the seed's rank in turn, which may be this one.
      const size_t step = c.operation == Operation::kSendRecv ? 1 : c.seed % n;
      plan.input = plan.output = c.count;
      plan.blocks = {{0, c.count, static_cast<int>((rank + n - step) % n), 0}};
      break;
    }
  }
  return plan;
}

}  // namespace ps_test
