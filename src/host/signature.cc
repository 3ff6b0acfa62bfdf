#include "host/signature.h"

#include <fmt/core.h>

#include "base/data_type.h"
#include "base/fnv1a.h"

namespace ps {

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kAllReduce: return "all_reduce";
    case Kind::kReduce: return "reduce";
    case Kind::kBroadcast: return "broadcast";
    case Kind::kAllGather: return "all_gather";
    case Kind::kAllGatherV: return "all_gather_v";
    case Kind::kGather: return "gather";
    case Kind::kGatherV: return "gather_v";
    case Kind::kScatter: return "scatter";
    case Kind::kScatterV: return "scatter_v";
    case Kind::kReduceScatter: return "reduce_scatter";
    case Kind::kReduceScatterV: return "reduce_scatter_v";
    case Kind::kAllToAll: return "all_to_all";
    case Kind::kAllToAllV: return "all_to_all_v";
    case Kind::kBarrier: return "barrier";
    case Kind::kSend: return "send";
    case Kind::kRecv: return "recv";
    case Kind::kNewGroup: return "new_group";
    case Kind::kSplitGroup: return "split_group";
    case Kind::kMemAlloc: return "mem_alloc";
    case Kind::kMemFree: return "mem_free";
    case Kind::kGroupRegister: return "group_register";
    case Kind::kGroupDeregister: return "group_deregister";
  }
  return "unknown operation";
}

bool has_root(Kind kind) {
  return kind == Kind::kReduce || kind == Kind::kBroadcast || kind == Kind::kGather || kind == Kind::kGatherV ||
         kind == Kind::kScatter || kind == Kind::kScatterV;
}

bool is_uneven(Kind kind) { return kind == Kind::kGatherV || kind == Kind::kScatterV || kind == Kind::kAllToAllV; }

bool reduces(Kind kind) {
  return kind == Kind::kAllReduce || kind == Kind::kReduce || kind == Kind::kReduceScatter || kind == Kind::kReduceScatterV;
}

std::string describe(const Signature& signature) {
  const Kind kind = signature.kind;
  std::string text = kind_name(kind);
  if (kind == Kind::kBarrier) return text + "()";
  if (kind >= Kind::kNewGroup) return text;
  switch (kind) {
    case Kind::kAllGatherV:
    case Kind::kReduceScatterV: text += fmt::format("(counts #{:08x}", signature.count & 0xffffffff); break;
    case Kind::kGatherV:
    case Kind::kScatterV:
    case Kind::kAllToAllV: text += "(counts by rank"; break;
    default: text += fmt::format("(count {}", signature.count); break;
  }
  text += ", " + data_type_name(signature.dtype);
  if (reduces(kind)) text += ", " + reduce_op_name(signature.op);
  if (has_root(kind)) text += fmt::format(", root {}", signature.root);
  if (kind == Kind::kSend) text += fmt::format(", to {}", signature.root);
  if (kind == Kind::kRecv) text += fmt::format(", from {}", signature.root);
  if ((signature.flags & PS_DETERMINISTIC) != 0) text += ", deterministic";
  return text + ")";
}

uint64_t hash_counts(const size_t* counts, size_t size) {
  uint64_t hash = kFnv1aStart;
  for (size_t i = 0; i < size; ++i) {
    for (int byte = 0; byte < 8; ++byte) hash = fnv1a(hash, counts[i] >> (8 * byte) & 0xff);
  }
  return hash;
}

}  // namespace ps
