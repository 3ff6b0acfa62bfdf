/*
 * The binary layout that bindings rely on: sizes, offsets and values as documented. Compiling this file is the test;
 * header.py checks that no field and no constant is left out. A number here changes only with the version.
 */
#include "parallelstate.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
#define FIELD(type, field, offset) _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define VALUE(name, number) _Static_assert((name) == (number), #name)

SIZE(void*, 8);
SIZE(size_t, 8);
SIZE(psContext, 8);
SIZE(psStore, 8);
SIZE(psGroup, 8);
SIZE(psWork, 8);
SIZE(psLayout, 8);
SIZE(psBytes, 8);
SIZE(psResult, 4);
SIZE(psDataType, 4);
SIZE(psReduceOp, 4);
SIZE(psContentType, 4);
SIZE(psDeviceType, 4);
SIZE(psLogLevel, 4);
SIZE(psCheckMode, 4);
SIZE(psRankState, 4);
SIZE(psDirection, 4);
SIZE(psLogFunction, 8);

SIZE(psConfig, 160);
FIELD(psConfig, struct_size, 0);
FIELD(psConfig, flags, 4);
FIELD(psConfig, rank, 8);
FIELD(psConfig, world_size, 12);
FIELD(psConfig, local_rank, 16);
FIELD(psConfig, local_size, 20);
FIELD(psConfig, replica, 24);
FIELD(psConfig, replica_count, 28);
FIELD(psConfig, rendezvous, 32);
FIELD(psConfig, job, 40);
FIELD(psConfig, secret, 48);
FIELD(psConfig, network, 56);
FIELD(psConfig, device, 64);
FIELD(psConfig, backend, 72);
FIELD(psConfig, dispatch, 80);
FIELD(psConfig, plugins, 88);
FIELD(psConfig, nccl_library, 96);
FIELD(psConfig, log, 104);
FIELD(psConfig, log_user, 112);
FIELD(psConfig, timeout_ms, 120);
FIELD(psConfig, init_timeout_ms, 128);
FIELD(psConfig, max_object_bytes, 136);
FIELD(psConfig, host_buffer_bytes, 144);
FIELD(psConfig, log_level, 152);
FIELD(psConfig, check_mode, 156);

SIZE(psWorldInfo, 72);
FIELD(psWorldInfo, struct_size, 0);
FIELD(psWorldInfo, rank, 4);
FIELD(psWorldInfo, world_size, 8);
FIELD(psWorldInfo, local_rank, 12);
FIELD(psWorldInfo, local_size, 16);
FIELD(psWorldInfo, node, 20);
FIELD(psWorldInfo, node_count, 24);
FIELD(psWorldInfo, replica, 28);
FIELD(psWorldInfo, replica_count, 32);
FIELD(psWorldInfo, device_index, 36);
FIELD(psWorldInfo, failure, 40);
FIELD(psWorldInfo, failed_global_rank, 44);
FIELD(psWorldInfo, failure_text, 48);
FIELD(psWorldInfo, layout_spec, 56);
FIELD(psWorldInfo, worker_suffix, 64);

SIZE(psRankInfo, 48);
FIELD(psRankInfo, struct_size, 0);
FIELD(psRankInfo, state, 4);
FIELD(psRankInfo, node, 8);
FIELD(psRankInfo, local_rank, 12);
FIELD(psRankInfo, pid, 16);
FIELD(psRankInfo, device_index, 20);
FIELD(psRankInfo, hostname, 24);
FIELD(psRankInfo, address, 32);
FIELD(psRankInfo, silent_ms, 40);

SIZE(psStoreOptions, 40);
FIELD(psStoreOptions, struct_size, 0);
FIELD(psStoreOptions, flags, 4);
FIELD(psStoreOptions, secret, 8);
FIELD(psStoreOptions, network, 16);
FIELD(psStoreOptions, timeout_ms, 24);
FIELD(psStoreOptions, max_value_bytes, 32);

SIZE(psGroupOptions, 56);
FIELD(psGroupOptions, struct_size, 0);
FIELD(psGroupOptions, flags, 4);
FIELD(psGroupOptions, name, 8);
FIELD(psGroupOptions, backend, 16);
FIELD(psGroupOptions, backend_options, 24);
FIELD(psGroupOptions, timeout_ms, 32);
FIELD(psGroupOptions, max_object_bytes, 40);
FIELD(psGroupOptions, host_buffer_bytes, 48);

SIZE(psGroupInfo, 88);
FIELD(psGroupInfo, struct_size, 0);
FIELD(psGroupInfo, rank, 4);
FIELD(psGroupInfo, size, 8);
FIELD(psGroupInfo, host_count, 12);
FIELD(psGroupInfo, global_rank, 16);
FIELD(psGroupInfo, global_first, 20);
FIELD(psGroupInfo, global_last, 24);
FIELD(psGroupInfo, global_next, 28);
FIELD(psGroupInfo, global_prev, 32);
FIELD(psGroupInfo, flags, 36);
FIELD(psGroupInfo, failure, 40);
FIELD(psGroupInfo, failed_global_rank, 44);
FIELD(psGroupInfo, failure_text, 48);
FIELD(psGroupInfo, name, 56);
FIELD(psGroupInfo, host_backend, 64);
FIELD(psGroupInfo, device_backend, 72);
FIELD(psGroupInfo, timeout_ms, 80);

SIZE(psMessage, 40);
FIELD(psMessage, struct_size, 0);
FIELD(psMessage, direction, 4);
FIELD(psMessage, buffer, 8);
FIELD(psMessage, count, 16);
FIELD(psMessage, dtype, 24);
FIELD(psMessage, peer, 28);
FIELD(psMessage, tag, 32);
FIELD(psMessage, flags, 36);

SIZE(psLayoutInfo, 40);
FIELD(psLayoutInfo, struct_size, 0);
FIELD(psLayoutInfo, world_size, 4);
FIELD(psLayoutInfo, hash, 8);
FIELD(psLayoutInfo, name_count, 16);
FIELD(psLayoutInfo, axis_count, 24);
FIELD(psLayoutInfo, spec, 32);

SIZE(psModelParallelOptions, 24);
FIELD(psModelParallelOptions, struct_size, 0);
FIELD(psModelParallelOptions, flags, 4);
FIELD(psModelParallelOptions, backend_options, 8);
FIELD(psModelParallelOptions, timeout_ms, 16);

VALUE(PS_OK, 0);
VALUE(PS_IN_PROGRESS, 1);
VALUE(PS_ERR_ARGUMENT, -1);
VALUE(PS_ERR_STATE, -2);
VALUE(PS_ERR_UNSUPPORTED, -3);
VALUE(PS_ERR_NO_MEMORY, -4);
VALUE(PS_ERR_SYSTEM, -5);
VALUE(PS_ERR_PEER_FAILED, -6);
VALUE(PS_ERR_TIMEOUT, -7);
VALUE(PS_ERR_ABORTED, -8);
VALUE(PS_ERR_BACKEND, -9);
VALUE(PS_ERR_INTERNAL, -10);
VALUE(PS_ERR_MISMATCH, -11);
VALUE(PS_ERR_NOT_FOUND, -12);
VALUE(PS_ERR_CLOSED, -13);
VALUE(PS_ERR_DENIED, -14);

VALUE(PS_INT8, 1);
VALUE(PS_INT16, 2);
VALUE(PS_INT32, 3);
VALUE(PS_INT64, 4);
VALUE(PS_UINT8, 5);
VALUE(PS_UINT16, 6);
VALUE(PS_UINT32, 7);
VALUE(PS_UINT64, 8);
VALUE(PS_FLOAT16, 9);
VALUE(PS_BFLOAT16, 10);
VALUE(PS_FLOAT32, 11);
VALUE(PS_FLOAT64, 12);
VALUE(PS_FLOAT8_E4M3, 13);
VALUE(PS_FLOAT8_E5M2, 14);
VALUE(PS_BOOL, 15);

VALUE(PS_SUM, 1);
VALUE(PS_PRODUCT, 2);
VALUE(PS_MIN, 3);
VALUE(PS_MAX, 4);
VALUE(PS_AVG, 5);
VALUE(PS_BIT_AND, 6);
VALUE(PS_BIT_OR, 7);
VALUE(PS_BIT_XOR, 8);
VALUE(PS_LOGICAL_AND, 9);
VALUE(PS_LOGICAL_OR, 10);
VALUE(PS_LOGICAL_XOR, 11);
VALUE(PS_PREMUL_SUM, 12);

VALUE(PS_CONTENT_BYTES, 1);
VALUE(PS_CONTENT_TEXT, 2);
VALUE(PS_CONTENT_JSON, 3);
VALUE(PS_CONTENT_PLAIN, 4);
VALUE(PS_CONTENT_DICT, 5);
VALUE(PS_CONTENT_INT64, 6);
VALUE(PS_CONTENT_FLOAT64, 7);
VALUE(PS_CONTENT_BOOL, 8);
VALUE(PS_CONTENT_PICKLE, 9);
VALUE(PS_CONTENT_USER, 65536);

VALUE(PS_DEVICE_HOST, 1);
VALUE(PS_DEVICE_CUDA, 2);
VALUE(PS_DEVICE_ROCM, 10);
VALUE(PS_DEVICE_XPU, 14);
VALUE(PS_DEVICE_HPU, 1001);
VALUE(PS_DEVICE_NPU, 1002);
VALUE(PS_DEVICE_MUSA, 1003);
VALUE(PS_DEVICE_MLU, 1004);
VALUE(PS_DEVICE_PLUGIN, 65536);

VALUE(PS_LOG_OFF, 1);
VALUE(PS_LOG_ERROR, 2);
VALUE(PS_LOG_WARN, 3);
VALUE(PS_LOG_INFO, 4);
VALUE(PS_LOG_DEBUG, 5);
VALUE(PS_LOG_TRACE, 6);

VALUE(PS_CHECK_OFF, 1);
VALUE(PS_CHECK_LATE, 2);
VALUE(PS_CHECK_STRICT, 3);

VALUE(PS_RANK_ALIVE, 1);
VALUE(PS_RANK_SILENT, 2);
VALUE(PS_RANK_LEFT, 3);
VALUE(PS_RANK_DEAD, 4);

VALUE(PS_SEND, 1);
VALUE(PS_RECV, 2);

VALUE(PS_DETERMINISTIC, 0x1);
VALUE(PS_OWN_COMMUNICATOR, 0x2);
VALUE(PS_WARM_UP, 0x4);
VALUE(PS_HOST_ONLY, 0x8);
VALUE(PS_ALLOW_UNAUTHENTICATED, 0x10);
VALUE(PS_SERVE, 0x20);
VALUE(PS_NO_ENVIRONMENT, 0x100);
VALUE(PS_SHARE_DEVICE, 0x200);

VALUE(PS_NO_RANK, -1);
VALUE(PS_NO_COLOR, -1);
VALUE(PS_NEXT, -101);
VALUE(PS_PREV, -102);

VALUE(PS_VERSION, 100);
