// The collectives: each checks its arguments and describes itself as a row of the table in host/call.h.
#include "api/arguments.h"
#include "api/guard.h"
#include "api/handle.h"
#include "base/error.h"

using namespace ps::api;
using ps::Blocks;
using ps::Call;
using ps::Kind;

namespace {

std::byte* writable(const void* data) { return static_cast<std::byte*>(const_cast<void*>(data)); }

Blocks equal_blocks(const void* base, size_t bytes, size_t stride) {
  return {.base = writable(base), .bytes = bytes, .stride = stride, .lists = nullptr};
}

Blocks unequal_blocks(const void* base, BlockList list) {
  return Blocks::unequal(base, {std::move(list.sizes), std::move(list.offsets)});
}

// What every collective begins with.
struct Start {
  Start(psGroup handle, Kind kind, psDataType dtype) : group(open(handle)), element(checked_element(dtype)) {
    group.communicator().expect_collective();
    call.signature.kind = kind;
    call.signature.dtype = static_cast<uint8_t>(dtype);
    call.signature.flags = group.signature_flags();
    call.signature.group = group.tag();
    call.element = element;
    n = static_cast<size_t>(group.size());
    rank = static_cast<size_t>(group.rank());
  }

  void count(size_t count) { call.signature.count = count; }
  void reduce(psReduceOp op, psDataType dtype) {
    const Reduction reduction = checked_reduction(group, op, dtype);
    call.signature.op = static_cast<uint8_t>(reduction.kind);
    call.kernel = reduction.kernel;
    call.scale = reduction.scale;
  }
  // True on the root.
  bool root(int32_t root) {
    call.signature.root = static_cast<uint16_t>(checked_rank(group, root, "root", false));
    return root == group.rank();
  }
  void run(psWork* work) {
    auto handle = group.run(std::move(call), work != nullptr);
    if (work != nullptr) *work = Pool<psWorkImpl>::make(std::shared_ptr<ps::Work>(std::move(handle)));
  }

  ps::Group& group;
  size_t element;
  size_t n;
  size_t rank;
  Call call;
};

std::byte* at(const void* base, size_t offset) { return base == nullptr ? nullptr : writable(base) + offset; }

// Counts of a pair that only this rank knows both of.
void check_own_block(size_t sent, size_t received, const char* what) {
  if (sent != received) ps::fail(PS_ERR_ARGUMENT, "{}: this rank sends {} elements to itself but expects {}", what, sent, received);
}

}  // namespace

psResult psAllReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op, void*,
                     psWork* work) {
  return guard_operation("psAllReduce", [&] {
    Start start(group, Kind::kAllReduce, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    start.reduce(op, dtype);
    const Span in{send, bytes, "send"};
    const Span out{recv, bytes, "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, recv, nullptr);
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
                  int32_t root, void*, psWork* work) {
  return guard_operation("psReduce", [&] {
    Start start(group, Kind::kReduce, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    start.reduce(op, dtype);
    const Span in{send, bytes, "send"};
    check_present(in);
    if (start.root(root)) {
      const Span out{recv, bytes, "recv"};
      check_present(out);
      check_apart(in, out, recv, nullptr);
    }
    start.call.all_read = false;
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psBroadcast(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root, void*,
                     psWork* work) {
  return guard_operation("psBroadcast", [&] {
    Start start(group, Kind::kBroadcast, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    const Span out{recv, bytes, "recv"};
    check_present(out);
    if (start.root(root)) {
      const Span in{send, bytes, "send"};
      check_present(in);
      check_apart(in, out, recv, nullptr);
    }
    start.call.all_stage = false;
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psAllGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void*, psWork* work) {
  return guard_operation("psAllGather", [&] {
    Start start(group, Kind::kAllGather, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    const Span in{send, bytes, "send"};
    const Span out{recv, checked_bytes(count, start.element, start.n), "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, at(recv, start.rank * bytes), nullptr);
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = equal_blocks(recv, bytes, bytes);
    start.run(work);
  });
}

psResult psAllGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
                      const size_t* recv_offsets, psDataType dtype, void*, psWork* work) {
  return guard_operation("psAllGatherV", [&] {
    Start start(group, Kind::kAllGatherV, dtype);
    const size_t bytes = checked_bytes(send_count, start.element);
    BlockList blocks = checked_blocks(recv_counts, recv_offsets, start.group.size(), start.element, true, "recv_counts");
    if (recv_counts[start.rank] != send_count) {
      ps::fail(PS_ERR_ARGUMENT, "recv_counts[{}] is {}, but send_count is {}; a rank's own entry must equal what it sends",
               start.rank, recv_counts[start.rank], send_count);
    }
    start.count(ps::hash_counts(recv_counts, start.n));
    const Span in{send, bytes, "send"};
    const Span out{recv, blocks.extent, "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, at(recv, blocks.offsets[start.rank]), nullptr);
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = unequal_blocks(recv, std::move(blocks));
    start.run(work);
  });
}

psResult psGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root, void*,
                  psWork* work) {
  return guard_operation("psGather", [&] {
    Start start(group, Kind::kGather, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    const Span in{send, bytes, "send"};
    check_present(in);
    if (start.root(root)) {
      const Span out{recv, checked_bytes(count, start.element, start.n), "recv"};
      check_present(out);
      check_apart(in, out, at(recv, start.rank * bytes), nullptr);
    }
    start.call.all_read = false;
    start.call.input = equal_blocks(send, bytes, 0);
    start.call.output = equal_blocks(recv, bytes, bytes);
    start.run(work);
  });
}

psResult psGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
                   const size_t* recv_offsets, psDataType dtype, int32_t root, void*, psWork* work) {
  return guard_operation("psGatherV", [&] {
    Start start(group, Kind::kGatherV, dtype);
    const size_t bytes = checked_bytes(send_count, start.element);
    const Span in{send, bytes, "send"};
    check_present(in);
    if (start.root(root)) {
      BlockList blocks = checked_blocks(recv_counts, recv_offsets, start.group.size(), start.element, true, "recv_counts");
      check_own_block(send_count, recv_counts[start.rank], "recv_counts");
      const Span out{recv, blocks.extent, "recv"};
      check_present(out);
      check_apart(in, out, at(recv, blocks.offsets[start.rank]), nullptr);
      start.call.output = unequal_blocks(recv, std::move(blocks));
    }
    start.call.all_read = false;
    start.call.uneven = true;
    start.call.input = equal_blocks(send, bytes, 0);
    start.run(work);
  });
}

psResult psScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root, void*,
                   psWork* work) {
  return guard_operation("psScatter", [&] {
    Start start(group, Kind::kScatter, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    const size_t total = checked_bytes(count, start.element, start.n);
    start.count(count);
    const Span out{recv, bytes, "recv"};
    check_present(out);
    if (start.root(root)) {
      const Span in{send, total, "send"};
      check_present(in);
      check_apart(in, out, nullptr, at(send, start.rank * bytes));
    }
    start.call.columns = true;
    start.call.all_stage = false;
    start.call.input = equal_blocks(send, bytes, bytes);
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psScatterV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets, void* recv,
                    size_t recv_count, psDataType dtype, int32_t root, void*, psWork* work) {
  return guard_operation("psScatterV", [&] {
    Start start(group, Kind::kScatterV, dtype);
    const size_t bytes = checked_bytes(recv_count, start.element);
    const Span out{recv, bytes, "recv"};
    check_present(out);
    if (start.root(root)) {
      BlockList blocks = checked_blocks(send_counts, send_offsets, start.group.size(), start.element, false, "send_counts");
      check_own_block(send_counts[start.rank], recv_count, "send_counts");
      const Span in{send, blocks.extent, "send"};
      check_present(in);
      check_apart(in, out, nullptr, at(send, blocks.offsets[start.rank]));
      start.call.input = unequal_blocks(send, std::move(blocks));
    }
    start.call.columns = true;
    start.call.all_stage = false;
    start.call.uneven = true;
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psReduceScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
                         void*, psWork* work) {
  return guard_operation("psReduceScatter", [&] {
    Start start(group, Kind::kReduceScatter, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    start.count(count);
    start.reduce(op, dtype);
    const Span in{send, checked_bytes(count, start.element, start.n), "send"};
    const Span out{recv, bytes, "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, nullptr, at(send, start.rank * bytes));
    start.call.columns = true;
    start.call.input = equal_blocks(send, bytes, bytes);
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psReduceScatterV(psGroup group, const void* send, void* recv, const size_t* counts, psDataType dtype,
                          psReduceOp op, void*, psWork* work) {
  return guard_operation("psReduceScatterV", [&] {
    Start start(group, Kind::kReduceScatterV, dtype);
    BlockList blocks = checked_blocks(counts, nullptr, start.group.size(), start.element, false, "counts");
    start.count(ps::hash_counts(counts, start.n));
    start.reduce(op, dtype);
    const size_t bytes = blocks.sizes[start.rank];
    const Span in{send, blocks.extent, "send"};
    const Span out{recv, bytes, "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, nullptr, at(send, blocks.offsets[start.rank]));
    start.call.columns = true;
    start.call.input = unequal_blocks(send, std::move(blocks));
    start.call.output = equal_blocks(recv, bytes, 0);
    start.run(work);
  });
}

psResult psAllToAll(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void*, psWork* work) {
  return guard_operation("psAllToAll", [&] {
    Start start(group, Kind::kAllToAll, dtype);
    const size_t bytes = checked_bytes(count, start.element);
    const size_t total = checked_bytes(count, start.element, start.n);
    start.count(count);
    const Span in{send, total, "send"};
    const Span out{recv, total, "recv"};
    check_present(in);
    check_present(out);
    check_apart(in, out, recv, nullptr);
    start.call.columns = true;
    start.call.input = equal_blocks(send, bytes, bytes);
    start.call.output = equal_blocks(recv, bytes, bytes);
    start.run(work);
  });
}

psResult psAllToAllV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets, void* recv,
                     const size_t* recv_counts, const size_t* recv_offsets, psDataType dtype, void*, psWork* work) {
  return guard_operation("psAllToAllV", [&] {
    Start start(group, Kind::kAllToAllV, dtype);
    BlockList sent = checked_blocks(send_counts, send_offsets, start.group.size(), start.element, false, "send_counts");
    BlockList received = checked_blocks(recv_counts, recv_offsets, start.group.size(), start.element, true, "recv_counts");
    check_own_block(send_counts[start.rank], recv_counts[start.rank], "send_counts and recv_counts");
    const Span in{send, sent.extent, "send"};
    const Span out{recv, received.extent, "recv"};
    check_present(in);
    check_present(out);
    const bool alike = sent.sizes == received.sizes && sent.offsets == received.offsets;
    check_apart(in, out, alike ? recv : nullptr, nullptr);
    start.call.columns = true;
    start.call.uneven = true;
    start.call.input = unequal_blocks(send, std::move(sent));
    start.call.output = unequal_blocks(recv, std::move(received));
    start.run(work);
  });
}

psResult psBarrier(psGroup group, psWork* work) {
  return guard_operation("psBarrier", [&] {
    Start start(group, Kind::kBarrier, PS_UINT8);
    start.run(work);
  });
}

psResult psReduceOpCreate(psGroup group, psReduceOp kind, psDataType dtype, const void* scalar, psReduceOp* op) {
  return guard("psReduceOpCreate", [&] {
    ps::Group& object = open(group);
    require(scalar, "scalar");
    require(op, "op");
    checked_element(dtype);
    if (kind != PS_PREMUL_SUM) ps::fail(PS_ERR_ARGUMENT, "kind {} needs no scalar; only PS_PREMUL_SUM is made so", kind);
    if (ps::find_reduce_kernel(dtype, kind) == nullptr) {
      ps::fail(PS_ERR_UNSUPPORTED, "a pre-multiplied sum needs a floating-point type");
    }
    const double scale = dtype == PS_FLOAT64 ? *static_cast<const double*>(scalar) : *static_cast<const float*>(scalar);
    *op = object.add_scaling({dtype, scale});
  });
}

psResult psReduceOpFree(psGroup group, psReduceOp op) {
  return guard("psReduceOpFree", [&] { open(group).remove_scaling(op); });
}
