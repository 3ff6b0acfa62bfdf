// One collective as the algorithms see it: where this rank's blocks lie and who writes and reads what. Every collective
// is a row of one table:
//
//                      staged by   staged as   read by   combined
//   all_reduce         all         whole       all       reduced
//   reduce             all         whole       root      reduced
//   broadcast          root        whole       all       copied
//   all_gather(_v)     all         whole       all       copied
//   gather(_v)         all         whole       root      copied
//   scatter(_v)        root        columns     all       copied
//   reduce_scatter(_v) all         columns     all       reduced
//   all_to_all(_v)     all         columns     all       copied
//   barrier            all         (nothing)   all
//
// "whole": one block, the same for every reader. "columns": one block for each reader.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/reduce/reduce.h"
#include "host/signature.h"

namespace ps {

struct Relay;  // host/relay.h

// Equal or unequal blocks of a buffer. All in bytes.
struct Blocks {
  std::byte* base = nullptr;
  size_t bytes = 0;             // of each, where they are equal
  size_t stride = 0;            // from one to the next; 0: all the same place
  // Of unequal blocks, one a rank. Apart, because calls are moved about and most have none.
  struct Lists {
    std::vector<size_t> sizes;
    std::vector<size_t> offsets;
  };
  std::shared_ptr<const Lists> lists;  // nullptr: equal

  static Blocks unequal(const void* base, Lists lists) {
    return {.base = static_cast<std::byte*>(const_cast<void*>(base)), .lists = std::make_shared<const Lists>(std::move(lists))};
  }

  bool are_equal() const { return lists == nullptr; }
  size_t size(int i) const { return lists ? lists->sizes[static_cast<size_t>(i)] : bytes; }
  size_t offset(int i) const {
    return lists ? lists->offsets[static_cast<size_t>(i)] : stride * static_cast<size_t>(i);
  }
  size_t largest() const { return lists ? *std::max_element(lists->sizes.begin(), lists->sizes.end()) : bytes; }
  std::byte* at(int i) const { return base + offset(i); }
  // From the base to the end of the last of `count` blocks.
  size_t extent(int count) const {
    if (!lists) return offset(count - 1) + bytes;
    size_t end = 0;
    for (int i = 0; i < count; ++i) end = std::max(end, offset(i) + size(i));
    return end;
  }
};

struct Call {
  Signature signature;
  bool columns = false;      // staged as columns
  bool all_stage = true;     // else the root alone
  bool all_read = true;      // else the root alone
  bool uneven = false;       // sizes that only the two ranks of a pair know: gather_v, scatter_v, all_to_all_v
  ReduceKernel kernel = nullptr;  // nullptr: copied
  double scale = 1.0;        // PS_PREMUL_SUM: this rank's factor
  size_t element = 1;        // bytes
  // What this rank stages: block 0 where whole, block q for reader q where columns.
  Blocks input;
  // What it receives: block p from rank p where copied, block 0 where reduced.
  Blocks output;

  // Where the call is a stage of a larger one, whose signature it bears: what it does itself, and its root.
  struct Part {
    Kind kind;
    int root;
  };
  std::optional<Part> part = std::nullopt;
  // Of such a stage, the one that runs beside it; nullptr: none.
  Relay* relay = nullptr;

  Kind kind() const { return part ? part->kind : signature.kind; }
  int root() const { return part ? part->root : signature.root; }
  bool stages(int rank) const { return all_stage || rank == root(); }
  bool reads(int rank) const { return all_read || rank == root(); }
  // The block that `rank` contributes to reader `reader`, if `rank` is this rank.
  int input_block(int reader) const { return columns ? reader : 0; }
  int output_block(int source) const { return kernel == nullptr ? source : 0; }
};

}  // namespace ps
