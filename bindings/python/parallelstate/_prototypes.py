"""Every function of parallelstate.h: its C prototype as a comment, its ctypes signature below.

Handles are c_void_p, buffers are addresses as c_void_p; None is NULL.
"""

from __future__ import annotations

from ctypes import POINTER, c_char_p, c_int32, c_int64, c_size_t, c_void_p
from typing import Any, List, NamedTuple

from ._structs import (
    psConfig, psGroupInfo, psGroupOptions, psLayoutInfo, psMessage, psModelParallelOptions, psRankInfo, psStoreOptions,
    psWorldInfo,
)


class Prototype(NamedTuple):
    name: str
    restype: Any
    argtypes: List[Any]


PROTOTYPES = (
    # int32_t psVersion(void);
    Prototype("psVersion", c_int32, []),
    # const char* psResultName(psResult result);
    Prototype("psResultName", c_char_p, [c_int32]),
    # const char* psLastError(void);
    Prototype("psLastError", c_char_p, []),
    # psResult psGetLibraryInfo(psBytes* json);
    Prototype("psGetLibraryInfo", c_int32, [POINTER(c_void_p)]),
    # psResult psBytesCount(psBytes bytes, size_t* count);
    Prototype("psBytesCount", c_int32, [c_void_p, POINTER(c_size_t)]),
    # psResult psBytesAt(psBytes bytes, size_t index, const void** data, size_t* size, psContentType* type);
    Prototype("psBytesAt", c_int32, [c_void_p, c_size_t, POINTER(c_void_p), POINTER(c_size_t), POINTER(c_int32)]),
    # psResult psBytesFree(psBytes bytes);
    Prototype("psBytesFree", c_int32, [c_void_p]),
    # psResult psInit(const psConfig* config, psContext* context);
    Prototype("psInit", c_int32, [POINTER(psConfig), POINTER(c_void_p)]),
    # psResult psFinalize(psContext context);
    Prototype("psFinalize", c_int32, [c_void_p]),
    # psResult psAbort(psContext context, const char* reason);
    Prototype("psAbort", c_int32, [c_void_p, c_char_p]),
    # psResult psGetWorldInfo(psContext context, psWorldInfo* info);
    Prototype("psGetWorldInfo", c_int32, [c_void_p, POINTER(psWorldInfo)]),
    # psResult psGetRankInfo(psContext context, int32_t global_rank, psRankInfo* info);
    Prototype("psGetRankInfo", c_int32, [c_void_p, c_int32, POINTER(psRankInfo)]),
    # psResult psDescribe(psContext context, psBytes* json);
    Prototype("psDescribe", c_int32, [c_void_p, POINTER(c_void_p)]),
    # psResult psStoreOpen(const char* url, const psStoreOptions* options, psStore* store);
    Prototype("psStoreOpen", c_int32, [c_char_p, POINTER(psStoreOptions), POINTER(c_void_p)]),
    # psResult psStoreFree(psStore store);
    Prototype("psStoreFree", c_int32, [c_void_p]),
    # psResult psGetStore(psContext context, psStore* store);
    Prototype("psGetStore", c_int32, [c_void_p, POINTER(c_void_p)]),
    # psResult psStoreAddress(psStore store, const char** url);
    Prototype("psStoreAddress", c_int32, [c_void_p, POINTER(c_char_p)]),
    # psResult psStoreSet(psStore store, const char* key, const void* data, size_t size, int64_t expire_ms);
    Prototype("psStoreSet", c_int32, [c_void_p, c_char_p, c_void_p, c_size_t, c_int64]),
    # psResult psStoreGet(psStore store, const char* key, int64_t timeout_ms, psBytes* value);
    Prototype("psStoreGet", c_int32, [c_void_p, c_char_p, c_int64, POINTER(c_void_p)]),
    # psResult psStoreAdd(psStore store, const char* key, int64_t delta, int64_t* value);
    Prototype("psStoreAdd", c_int32, [c_void_p, c_char_p, c_int64, POINTER(c_int64)]),
    # psResult psStoreCompareAndSet(psStore store, const char* key, const void* expected, size_t expected_size, const
    # void* desired, size_t desired_size, int64_t expire_ms, int32_t* swapped);
    Prototype("psStoreCompareAndSet", c_int32, [
        c_void_p, c_char_p, c_void_p, c_size_t, c_void_p, c_size_t, c_int64, POINTER(c_int32),
    ]),
    # psResult psStoreDelete(psStore store, const char* key, int32_t* existed);
    Prototype("psStoreDelete", c_int32, [c_void_p, c_char_p, POINTER(c_int32)]),
    # psResult psGetGroup(psContext context, const char* name, psGroup* group);
    Prototype("psGetGroup", c_int32, [c_void_p, c_char_p, POINTER(c_void_p)]),
    # psResult psNewGroup(psContext context, const int32_t* global_ranks, size_t count, const psGroupOptions* options,
    # psGroup* group);
    Prototype("psNewGroup", c_int32, [
        c_void_p, POINTER(c_int32), c_size_t, POINTER(psGroupOptions), POINTER(c_void_p),
    ]),
    # psResult psSplitGroup(psGroup group, int32_t color, int32_t key, const psGroupOptions* options, psGroup* part);
    Prototype("psSplitGroup", c_int32, [c_void_p, c_int32, c_int32, POINTER(psGroupOptions), POINTER(c_void_p)]),
    # psResult psGroupFree(psGroup group);
    Prototype("psGroupFree", c_int32, [c_void_p]),
    # psResult psGetGroupInfo(psGroup group, psGroupInfo* info);
    Prototype("psGetGroupInfo", c_int32, [c_void_p, POINTER(psGroupInfo)]),
    # psResult psGroupGlobalRanks(psGroup group, int32_t* global_ranks, size_t capacity, size_t* count);
    Prototype("psGroupGlobalRanks", c_int32, [c_void_p, POINTER(c_int32), c_size_t, POINTER(c_size_t)]),
    # psResult psGroupFindGlobal(psGroup group, int32_t global_rank, int32_t* rank);
    Prototype("psGroupFindGlobal", c_int32, [c_void_p, c_int32, POINTER(c_int32)]),
    # psResult psSameHost(psGroup group, int32_t source, int32_t* same, size_t capacity, size_t* count);
    Prototype("psSameHost", c_int32, [c_void_p, c_int32, POINTER(c_int32), c_size_t, POINTER(c_size_t)]),
    # psResult psGroupSetTimeout(psGroup group, int64_t timeout_ms);
    Prototype("psGroupSetTimeout", c_int32, [c_void_p, c_int64]),
    # psResult psGroupAbort(psGroup group, const char* reason);
    Prototype("psGroupAbort", c_int32, [c_void_p, c_char_p]),
    # psResult psLayoutCreate(const char* spec, int32_t world_size, psLayout* layout);
    Prototype("psLayoutCreate", c_int32, [c_char_p, c_int32, POINTER(c_void_p)]),
    # psResult psLayoutFree(psLayout layout);
    Prototype("psLayoutFree", c_int32, [c_void_p]),
    # psResult psGetLayoutInfo(psLayout layout, psLayoutInfo* info);
    Prototype("psGetLayoutInfo", c_int32, [c_void_p, POINTER(psLayoutInfo)]),
    # psResult psLayoutName(psLayout layout, size_t index, const char** name, const char** alias_of);
    Prototype("psLayoutName", c_int32, [c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_char_p)]),
    # psResult psLayoutAxis(psLayout layout, size_t index, const char** name, int32_t* size);
    Prototype("psLayoutAxis", c_int32, [c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_int32)]),
    # psResult psLayoutGroupCount(psLayout layout, const char* name, size_t* count);
    Prototype("psLayoutGroupCount", c_int32, [c_void_p, c_char_p, POINTER(c_size_t)]),
    # psResult psLayoutGroupRanks(psLayout layout, const char* name, size_t index, int32_t* global_ranks, size_t
    # capacity, size_t* count);
    Prototype("psLayoutGroupRanks", c_int32, [
        c_void_p, c_char_p, c_size_t, POINTER(c_int32), c_size_t, POINTER(c_size_t),
    ]),
    # psResult psLayoutFind(psLayout layout, const char* name, int32_t global_rank, size_t* index, int32_t* rank);
    Prototype("psLayoutFind", c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_size_t), POINTER(c_int32)]),
    # psResult psLayoutCoordinate(psLayout layout, const char* axis, int32_t global_rank, int32_t* coordinate);
    Prototype("psLayoutCoordinate", c_int32, [c_void_p, c_char_p, c_int32, POINTER(c_int32)]),
    # psResult psLayoutDescribe(psLayout layout, psBytes* json);
    Prototype("psLayoutDescribe", c_int32, [c_void_p, POINTER(c_void_p)]),
    # psResult psLayoutDiff(psLayout layout, psLayout other, psBytes* json);
    Prototype("psLayoutDiff", c_int32, [c_void_p, c_void_p, POINTER(c_void_p)]),
    # psResult psPipelineLayers(const char* rule, int64_t layers, int32_t stages, const int64_t* partition, int64_t*
    # boundaries);
    Prototype("psPipelineLayers", c_int32, [c_char_p, c_int64, c_int32, POINTER(c_int64), POINTER(c_int64)]),
    # psResult psShardRange(int64_t total, int32_t parts, int32_t index, int64_t* begin, int64_t* end);
    Prototype("psShardRange", c_int32, [c_int64, c_int32, c_int32, POINTER(c_int64), POINTER(c_int64)]),
    # psResult psInitModelParallel(psContext context, const char* spec, const psModelParallelOptions* options);
    Prototype("psInitModelParallel", c_int32, [c_void_p, c_char_p, POINTER(psModelParallelOptions)]),
    # psResult psEnsureModelParallel(psContext context, const char* spec, const psModelParallelOptions* options);
    Prototype("psEnsureModelParallel", c_int32, [c_void_p, c_char_p, POINTER(psModelParallelOptions)]),
    # psResult psModelParallelIsInitialized(psContext context, int32_t* initialized);
    Prototype("psModelParallelIsInitialized", c_int32, [c_void_p, POINTER(c_int32)]),
    # psResult psDestroyModelParallel(psContext context);
    Prototype("psDestroyModelParallel", c_int32, [c_void_p]),
    # psResult psAllReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
    # void* stream, psWork* work);
    Prototype("psAllReduce", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psReduce(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp op,
    # int32_t root, void* stream, psWork* work);
    Prototype("psReduce", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psBroadcast(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
    # void* stream, psWork* work);
    Prototype("psBroadcast", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psAllGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void* stream,
    # psWork* work);
    Prototype("psAllGather", c_int32, [c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_void_p, POINTER(c_void_p)]),
    # psResult psAllGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
    # const size_t* recv_offsets, psDataType dtype, void* stream, psWork* work);
    Prototype("psAllGatherV", c_int32, [
        c_void_p, c_void_p, c_size_t, c_void_p, POINTER(c_size_t), POINTER(c_size_t), c_int32, c_void_p,
        POINTER(c_void_p),
    ]),
    # psResult psGather(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
    # void* stream, psWork* work);
    Prototype("psGather", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psGatherV(psGroup group, const void* send, size_t send_count, void* recv, const size_t* recv_counts,
    # const size_t* recv_offsets, psDataType dtype, int32_t root, void* stream, psWork* work);
    Prototype("psGatherV", c_int32, [
        c_void_p, c_void_p, c_size_t, c_void_p, POINTER(c_size_t), POINTER(c_size_t), c_int32, c_int32, c_void_p,
        POINTER(c_void_p),
    ]),
    # psResult psScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, int32_t root,
    # void* stream, psWork* work);
    Prototype("psScatter", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psScatterV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets,
    # void* recv, size_t recv_count, psDataType dtype, int32_t root, void* stream, psWork* work);
    Prototype("psScatterV", c_int32, [
        c_void_p, c_void_p, POINTER(c_size_t), POINTER(c_size_t), c_void_p, c_size_t, c_int32, c_int32, c_void_p,
        POINTER(c_void_p),
    ]),
    # psResult psReduceScatter(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, psReduceOp
    # op, void* stream, psWork* work);
    Prototype("psReduceScatter", c_int32, [
        c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psReduceScatterV(psGroup group, const void* send, void* recv, const size_t* counts, psDataType dtype,
    # psReduceOp op, void* stream, psWork* work);
    Prototype("psReduceScatterV", c_int32, [
        c_void_p, c_void_p, c_void_p, POINTER(c_size_t), c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psAllToAll(psGroup group, const void* send, void* recv, size_t count, psDataType dtype, void* stream,
    # psWork* work);
    Prototype("psAllToAll", c_int32, [c_void_p, c_void_p, c_void_p, c_size_t, c_int32, c_void_p, POINTER(c_void_p)]),
    # psResult psAllToAllV(psGroup group, const void* send, const size_t* send_counts, const size_t* send_offsets,
    # void* recv, const size_t* recv_counts, const size_t* recv_offsets, psDataType dtype, void* stream, psWork*
    # work);
    Prototype("psAllToAllV", c_int32, [
        c_void_p, c_void_p, POINTER(c_size_t), POINTER(c_size_t), c_void_p, POINTER(c_size_t), POINTER(c_size_t),
        c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psBarrier(psGroup group, psWork* work);
    Prototype("psBarrier", c_int32, [c_void_p, POINTER(c_void_p)]),
    # psResult psReduceOpCreate(psGroup group, psReduceOp kind, psDataType dtype, const void* scalar, psReduceOp* op);
    Prototype("psReduceOpCreate", c_int32, [c_void_p, c_int32, c_int32, c_void_p, POINTER(c_int32)]),
    # psResult psReduceOpFree(psGroup group, psReduceOp op);
    Prototype("psReduceOpFree", c_int32, [c_void_p, c_int32]),
    # psResult psMemAlloc(psGroup group, size_t size, psDeviceType device, void** memory);
    Prototype("psMemAlloc", c_int32, [c_void_p, c_size_t, c_int32, POINTER(c_void_p)]),
    # psResult psMemFree(psGroup group, void* memory);
    Prototype("psMemFree", c_int32, [c_void_p, c_void_p]),
    # psResult psGroupRegister(psGroup group, void* memory, size_t size);
    Prototype("psGroupRegister", c_int32, [c_void_p, c_void_p, c_size_t]),
    # psResult psGroupDeregister(psGroup group, void* memory);
    Prototype("psGroupDeregister", c_int32, [c_void_p, c_void_p]),
    # psResult psSend(psGroup group, const void* send, size_t count, psDataType dtype, int32_t dst, int32_t tag, void*
    # stream, psWork* work);
    Prototype("psSend", c_int32, [
        c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psRecv(psGroup group, void* recv, size_t count, psDataType dtype, int32_t src, int32_t tag, void*
    # stream, psWork* work);
    Prototype("psRecv", c_int32, [
        c_void_p, c_void_p, c_size_t, c_int32, c_int32, c_int32, c_void_p, POINTER(c_void_p),
    ]),
    # psResult psSendRecv(psGroup group, const void* send, size_t send_count, int32_t dst, void* recv, size_t
    # recv_count, int32_t src, psDataType dtype, int32_t tag, void* stream, psWork* work);
    Prototype("psSendRecv", c_int32, [
        c_void_p, c_void_p, c_size_t, c_int32, c_void_p, c_size_t, c_int32, c_int32, c_int32, c_void_p,
        POINTER(c_void_p),
    ]),
    # psResult psBatch(psGroup group, const psMessage* messages, size_t count, void* stream, psWork* work);
    Prototype("psBatch", c_int32, [c_void_p, POINTER(psMessage), c_size_t, c_void_p, POINTER(c_void_p)]),
    # psResult psWorkTest(psWork work);
    Prototype("psWorkTest", c_int32, [c_void_p]),
    # psResult psWorkWait(psWork work, int64_t timeout_ms);
    Prototype("psWorkWait", c_int32, [c_void_p, c_int64]),
    # psResult psWorkOrder(psWork work, void* stream, int64_t timeout_ms);
    Prototype("psWorkOrder", c_int32, [c_void_p, c_void_p, c_int64]),
    # psResult psWorkError(psWork work, const char** text);
    Prototype("psWorkError", c_int32, [c_void_p, POINTER(c_char_p)]),
    # psResult psWorkFree(psWork work);
    Prototype("psWorkFree", c_int32, [c_void_p]),
)
