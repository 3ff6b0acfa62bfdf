/* What cgo calls. A goroutine may move to another thread between two calls of C, so the text of a failure is fetched in
 * the same call as its result. Buffers are char pointers: cgo then knows that they lead to no Go pointers. */
#ifndef PARALLELSTATE_GO_SHIM_H
#define PARALLELSTATE_GO_SHIM_H

#include <parallelstate.h>
#include <stdlib.h>
#include <string.h>

#if PS_VERSION_MAJOR != 0 || PS_VERSION_MINOR != 1
#error "this Go package is made for parallelstate.h 0.1.x; install the two together"
#endif

typedef struct {
  psResult result;
  char* text;   /* of a failure, to be freed; else NULL */
  void* object; /* a handle or an object that was made */
  int64_t value;
} psgo_status;

static inline psgo_status psgo_checked(psResult result) {
  psgo_status status = {result, NULL, NULL, 0};
  if (result < 0) status.text = strdup(psLastError());
  return status;
}

/* RETURN(variable that CALL sets, field of the status that it goes to, CALL) */
#define PSGO_RETURN(variable, field, call)       \
  const psResult psgo_result = (call);           \
  psgo_status psgo_made = psgo_checked(psgo_result); \
  if (psgo_result >= 0) psgo_made.field = variable;  \
  return psgo_made

void parallelstateGoLog(uintptr_t user, int32_t level, char* text);

static inline void psgo_log(void* user, psLogLevel level, const char* text) {
  parallelstateGoLog((uintptr_t)user, level, (char*)text);
}

static inline psgo_status psgo_library_info(void) {
  psBytes json = NULL;
  PSGO_RETURN(json, object, psGetLibraryInfo(&json));
}

static inline psgo_status psgo_bytes_count(psBytes bytes, size_t* count) {
  return psgo_checked(psBytesCount(bytes, count));
}

static inline psgo_status psgo_bytes_at(psBytes bytes, size_t index, const void** data, size_t* size) {
  return psgo_checked(psBytesAt(bytes, index, data, size, NULL));
}

/* ---- Context */

static inline psgo_status psgo_init(psConfig* config, uintptr_t log) {
  psContext context = NULL;
  config->struct_size = (uint32_t)sizeof *config;
  if (log != 0) {
    config->log = psgo_log;
    config->log_user = (void*)log;
  }
  PSGO_RETURN(context, object, psInit(config, &context));
}

static inline psgo_status psgo_finalize(psContext context) { return psgo_checked(psFinalize(context)); }

static inline psgo_status psgo_abort(psContext context, const char* reason) {
  return psgo_checked(psAbort(context, reason));
}

static inline psgo_status psgo_world_info(psContext context, psWorldInfo* info) {
  info->struct_size = (uint32_t)sizeof *info;
  return psgo_checked(psGetWorldInfo(context, info));
}

static inline psgo_status psgo_rank_info(psContext context, int32_t rank, psRankInfo* info) {
  info->struct_size = (uint32_t)sizeof *info;
  return psgo_checked(psGetRankInfo(context, rank, info));
}

static inline psgo_status psgo_describe(psContext context) {
  psBytes json = NULL;
  PSGO_RETURN(json, object, psDescribe(context, &json));
}

/* ---- Store */

static inline psgo_status psgo_store_open(const char* url, psStoreOptions* options) {
  psStore store = NULL;
  options->struct_size = (uint32_t)sizeof *options;
  PSGO_RETURN(store, object, psStoreOpen(url, options, &store));
}

static inline psgo_status psgo_get_store(psContext context) {
  psStore store = NULL;
  PSGO_RETURN(store, object, psGetStore(context, &store));
}

static inline psgo_status psgo_store_free(psStore store) { return psgo_checked(psStoreFree(store)); }

static inline psgo_status psgo_store_address(psStore store, const char** url) {
  return psgo_checked(psStoreAddress(store, url));
}

static inline psgo_status psgo_store_set(psStore store, const char* key, const char* data, size_t size, int64_t expire_ms) {
  return psgo_checked(psStoreSet(store, key, data, size, expire_ms));
}

static inline psgo_status psgo_store_get(psStore store, const char* key, int64_t timeout_ms) {
  psBytes value = NULL;
  PSGO_RETURN(value, object, psStoreGet(store, key, timeout_ms, &value));
}

static inline psgo_status psgo_store_add(psStore store, const char* key, int64_t delta) {
  int64_t sum = 0;
  PSGO_RETURN(sum, value, psStoreAdd(store, key, delta, &sum));
}

static inline psgo_status psgo_store_compare_and_set(psStore store, const char* key, const char* expected,
                                                     size_t expected_size, const char* desired, size_t desired_size,
                                                     int64_t expire_ms) {
  int32_t swapped = 0;
  PSGO_RETURN(swapped, value, psStoreCompareAndSet(store, key, expected, expected_size, desired, desired_size, expire_ms, &swapped));
}

static inline psgo_status psgo_store_delete(psStore store, const char* key) {
  int32_t existed = 0;
  PSGO_RETURN(existed, value, psStoreDelete(store, key, &existed));
}

/* ---- Groups */

static inline psgo_status psgo_get_group(psContext context, const char* name) {
  psGroup group = NULL;
  PSGO_RETURN(group, object, psGetGroup(context, name, &group));
}

static inline psgo_status psgo_new_group(psContext context, const int32_t* ranks, size_t count, psGroupOptions* options) {
  psGroup group = NULL;
  options->struct_size = (uint32_t)sizeof *options;
  PSGO_RETURN(group, object, psNewGroup(context, ranks, count, options, &group));
}

static inline psgo_status psgo_split_group(psGroup group, int32_t color, int32_t key, psGroupOptions* options) {
  psGroup part = NULL;
  options->struct_size = (uint32_t)sizeof *options;
  PSGO_RETURN(part, object, psSplitGroup(group, color, key, options, &part));
}

static inline psgo_status psgo_group_free(psGroup group) { return psgo_checked(psGroupFree(group)); }

static inline psgo_status psgo_group_info(psGroup group, psGroupInfo* info) {
  info->struct_size = (uint32_t)sizeof *info;
  return psgo_checked(psGetGroupInfo(group, info));
}

static inline psgo_status psgo_global_ranks(psGroup group, int32_t* ranks, size_t capacity) {
  size_t count = 0;
  PSGO_RETURN((int64_t)count, value, psGroupGlobalRanks(group, ranks, capacity, &count));
}

static inline psgo_status psgo_find_global(psGroup group, int32_t global_rank) {
  int32_t rank = 0;
  PSGO_RETURN(rank, value, psGroupFindGlobal(group, global_rank, &rank));
}

static inline psgo_status psgo_same_host(psGroup group, int32_t source, int32_t* same, size_t capacity) {
  size_t count = 0;
  PSGO_RETURN((int64_t)count, value, psSameHost(group, source, same, capacity, &count));
}

static inline psgo_status psgo_set_timeout(psGroup group, int64_t timeout_ms) {
  return psgo_checked(psGroupSetTimeout(group, timeout_ms));
}

static inline psgo_status psgo_group_abort(psGroup group, const char* reason) {
  return psgo_checked(psGroupAbort(group, reason));
}

static inline psgo_status psgo_op_create(psGroup group, psReduceOp kind, psDataType dtype, double scalar) {
  const float narrow = (float)scalar;
  psReduceOp op = 0;
  PSGO_RETURN(op, value,
              psReduceOpCreate(group, kind, dtype, dtype == PS_FLOAT64 ? (const void*)&scalar : (const void*)&narrow, &op));
}

static inline psgo_status psgo_op_free(psGroup group, psReduceOp op) { return psgo_checked(psReduceOpFree(group, op)); }

/* ---- Memory */

/* The range of a slice without elements, which has no address. */
static char psgo_nothing;

static inline void* psgo_range(void* memory) { return memory == NULL ? &psgo_nothing : memory; }

static inline psgo_status psgo_mem_alloc(psGroup group, size_t size) {
  void* memory = NULL;
  PSGO_RETURN(memory, object, psMemAlloc(group, size, PS_DEVICE_HOST, &memory));
}

static inline psgo_status psgo_mem_free(psGroup group, void* memory) { return psgo_checked(psMemFree(group, memory)); }

static inline psgo_status psgo_register(psGroup group, void* memory, size_t size) {
  return psgo_checked(psGroupRegister(group, psgo_range(memory), size));
}

static inline psgo_status psgo_deregister(psGroup group, void* memory) {
  return psgo_checked(psGroupDeregister(group, psgo_range(memory)));
}

/* ---- Layouts */

static inline psgo_status psgo_layout_create(const char* spec, int32_t world_size) {
  psLayout layout = NULL;
  PSGO_RETURN(layout, object, psLayoutCreate(spec, world_size, &layout));
}

static inline psgo_status psgo_layout_info(psLayout layout, psLayoutInfo* info) {
  info->struct_size = (uint32_t)sizeof *info;
  return psgo_checked(psGetLayoutInfo(layout, info));
}

static inline psgo_status psgo_layout_name(psLayout layout, size_t index, const char** name, const char** alias_of) {
  return psgo_checked(psLayoutName(layout, index, name, alias_of));
}

static inline psgo_status psgo_layout_axis(psLayout layout, size_t index, const char** name, int32_t* size) {
  return psgo_checked(psLayoutAxis(layout, index, name, size));
}

static inline psgo_status psgo_layout_group_count(psLayout layout, const char* name) {
  size_t count = 0;
  PSGO_RETURN((int64_t)count, value, psLayoutGroupCount(layout, name, &count));
}

static inline psgo_status psgo_layout_group_ranks(psLayout layout, const char* name, size_t index, int32_t* ranks,
                                                  size_t capacity) {
  size_t count = 0;
  PSGO_RETURN((int64_t)count, value, psLayoutGroupRanks(layout, name, index, ranks, capacity, &count));
}

static inline psgo_status psgo_layout_find(psLayout layout, const char* name, int32_t rank, size_t* group, int32_t* place) {
  return psgo_checked(psLayoutFind(layout, name, rank, group, place));
}

static inline psgo_status psgo_layout_coordinate(psLayout layout, const char* axis, int32_t rank) {
  int32_t coordinate = 0;
  PSGO_RETURN(coordinate, value, psLayoutCoordinate(layout, axis, rank, &coordinate));
}

static inline psgo_status psgo_layout_describe(psLayout layout) {
  psBytes json = NULL;
  PSGO_RETURN(json, object, psLayoutDescribe(layout, &json));
}

static inline psgo_status psgo_layout_diff(psLayout layout, psLayout other) {
  psBytes json = NULL;
  PSGO_RETURN(json, object, psLayoutDiff(layout, other, &json));
}

static inline psgo_status psgo_pipeline_layers(const char* rule, int64_t layers, int32_t stages, const int64_t* partition,
                                               int64_t* boundaries) {
  return psgo_checked(psPipelineLayers(rule, layers, stages, partition, boundaries));
}

static inline psgo_status psgo_shard_range(int64_t total, int32_t parts, int32_t index, int64_t* begin, int64_t* end) {
  return psgo_checked(psShardRange(total, parts, index, begin, end));
}

/* ---- Model-parallel state */

static inline psgo_status psgo_form_model_parallel(psContext context, const char* spec, psModelParallelOptions* options,
                                                   int ensure) {
  options->struct_size = (uint32_t)sizeof *options;
  return psgo_checked(ensure ? psEnsureModelParallel(context, spec, options) : psInitModelParallel(context, spec, options));
}

static inline psgo_status psgo_model_parallel_is_initialized(psContext context) {
  int32_t initialized = 0;
  PSGO_RETURN(initialized, value, psModelParallelIsInitialized(context, &initialized));
}

static inline psgo_status psgo_destroy_model_parallel(psContext context) {
  return psgo_checked(psDestroyModelParallel(context));
}

/* ---- Operations */

enum {
  PSGO_ALL_REDUCE = 1,
  PSGO_REDUCE,
  PSGO_BROADCAST,
  PSGO_ALL_GATHER,
  PSGO_ALL_GATHER_V,
  PSGO_GATHER,
  PSGO_GATHER_V,
  PSGO_SCATTER,
  PSGO_SCATTER_V,
  PSGO_REDUCE_SCATTER,
  PSGO_REDUCE_SCATTER_V,
  PSGO_ALL_TO_ALL,
  PSGO_ALL_TO_ALL_V,
  PSGO_BARRIER,
  PSGO_SEND,
  PSGO_RECV,
  PSGO_SEND_RECV
};

/* Each kind uses the arguments that its function has; `count` is also the send count, `peer` the root or destination. */
static inline psResult psgo_call(int32_t kind, psGroup group, const char* send, char* recv, size_t count, size_t recv_count,
                                 const size_t* send_counts, const size_t* send_offsets, const size_t* recv_counts,
                                 const size_t* recv_offsets, psDataType dtype, psReduceOp op, int32_t peer, int32_t src,
                                 int32_t tag, void* stream, psWork* work) {
  switch (kind) {
    case PSGO_ALL_REDUCE: return psAllReduce(group, send, recv, count, dtype, op, stream, work);
    case PSGO_REDUCE: return psReduce(group, send, recv, count, dtype, op, peer, stream, work);
    case PSGO_BROADCAST: return psBroadcast(group, send, recv, count, dtype, peer, stream, work);
    case PSGO_ALL_GATHER: return psAllGather(group, send, recv, count, dtype, stream, work);
    case PSGO_ALL_GATHER_V:
      return psAllGatherV(group, send, count, recv, recv_counts, recv_offsets, dtype, stream, work);
    case PSGO_GATHER: return psGather(group, send, recv, count, dtype, peer, stream, work);
    case PSGO_GATHER_V:
      return psGatherV(group, send, count, recv, recv_counts, recv_offsets, dtype, peer, stream, work);
    case PSGO_SCATTER: return psScatter(group, send, recv, count, dtype, peer, stream, work);
    case PSGO_SCATTER_V:
      return psScatterV(group, send, send_counts, send_offsets, recv, recv_count, dtype, peer, stream, work);
    case PSGO_REDUCE_SCATTER: return psReduceScatter(group, send, recv, count, dtype, op, stream, work);
    case PSGO_REDUCE_SCATTER_V: return psReduceScatterV(group, send, recv, recv_counts, dtype, op, stream, work);
    case PSGO_ALL_TO_ALL: return psAllToAll(group, send, recv, count, dtype, stream, work);
    case PSGO_ALL_TO_ALL_V:
      return psAllToAllV(group, send, send_counts, send_offsets, recv, recv_counts, recv_offsets, dtype, stream, work);
    case PSGO_BARRIER: return psBarrier(group, work);
    case PSGO_SEND: return psSend(group, send, count, dtype, peer, tag, stream, work);
    case PSGO_RECV: return psRecv(group, recv, recv_count, dtype, src, tag, stream, work);
    default: return psSendRecv(group, send, count, peer, recv, recv_count, src, dtype, tag, stream, work);
  }
}

static inline psgo_status psgo_start(int32_t kind, psGroup group, const char* send, char* recv, size_t count,
                                     size_t recv_count, const size_t* send_counts, const size_t* send_offsets,
                                     const size_t* recv_counts, const size_t* recv_offsets, psDataType dtype, psReduceOp op,
                                     int32_t peer, int32_t src, int32_t tag, void* stream, int asynchronous) {
  psWork work = NULL;
  PSGO_RETURN(work, object,
              psgo_call(kind, group, send, recv, count, recv_count, send_counts, send_offsets, recv_counts, recv_offsets,
                        dtype, op, peer, src, tag, stream, asynchronous ? &work : NULL));
}

static inline psgo_status psgo_batch(psGroup group, psMessage* messages, size_t count, void* stream, int asynchronous) {
  psWork work = NULL;
  for (size_t i = 0; i < count; ++i) messages[i].struct_size = (uint32_t)sizeof *messages;
  PSGO_RETURN(work, object, psBatch(group, messages, count, stream, asynchronous ? &work : NULL));
}

/* ---- Work */

static inline psgo_status psgo_work_test(psWork work) { return psgo_checked(psWorkTest(work)); }

static inline psgo_status psgo_work_wait(psWork work, int64_t timeout_ms) {
  return psgo_checked(psWorkWait(work, timeout_ms));
}

static inline psgo_status psgo_work_order(psWork work, void* stream, int64_t timeout_ms) {
  return psgo_checked(psWorkOrder(work, stream, timeout_ms));
}

static inline psgo_status psgo_work_error(psWork work, const char** text) { return psgo_checked(psWorkError(work, text)); }

static inline psgo_status psgo_work_free(psWork work) { return psgo_checked(psWorkFree(work)); }

/* Zeroed, aligned for vector instructions. */
static inline char* psgo_allocate(size_t bytes) {
  void* memory = NULL;
  if (posix_memalign(&memory, 64, bytes) != 0) return NULL;
  return (char*)memset(memory, 0, bytes);
}

#endif
