package parallelstate

// #include "shim.h"
import "C"

import (
	"time"
	"unsafe"
)

// Conversions of the C structs. Their strings are copied while the object that owns them cannot be freed.

func (cLibrary) initialize(config *Config, log uintptr) status {
	var strings texts
	defer strings.free()
	options := C.psConfig{
		flags:             C.uint32_t(config.Flags),
		rank:              C.int32_t(config.Rank),
		world_size:        C.int32_t(config.WorldSize),
		local_rank:        C.int32_t(config.LocalRank),
		local_size:        C.int32_t(config.LocalSize),
		replica:           C.int32_t(config.Replica),
		replica_count:     C.int32_t(config.ReplicaCount),
		rendezvous:        strings.of(config.Rendezvous),
		job:               strings.of(config.Job),
		secret:            strings.of(config.Secret),
		network:           strings.of(config.Network),
		device:            strings.of(config.Device),
		backend:           strings.of(config.Backend),
		dispatch:          strings.of(config.Dispatch),
		plugins:           strings.of(config.Plugins),
		nccl_library:      strings.of(config.NCCLLibrary),
		timeout_ms:        C.int64_t(milliseconds(config.Timeout)),
		init_timeout_ms:   C.int64_t(milliseconds(config.InitTimeout)),
		max_object_bytes:  C.uint64_t(config.MaxObjectBytes),
		host_buffer_bytes: C.uint64_t(config.HostBufferBytes),
		log_level:         C.psLogLevel(config.LogLevel),
		check_mode:        C.psCheckMode(config.CheckMode),
	}
	return statusOf(C.psgo_init(&options, C.uintptr_t(log)))
}

func (cLibrary) worldInfo(context unsafe.Pointer) (WorldInfo, status) {
	var info C.psWorldInfo
	result := statusOf(C.psgo_world_info(C.psContext(context), &info))
	if result.code < 0 {
		return WorldInfo{}, result
	}
	return WorldInfo{
		Rank:             int(info.rank),
		WorldSize:        int(info.world_size),
		LocalRank:        int(info.local_rank),
		LocalSize:        int(info.local_size),
		Node:             int(info.node),
		NodeCount:        int(info.node_count),
		Replica:          int(info.replica),
		ReplicaCount:     int(info.replica_count),
		DeviceIndex:      int(info.device_index),
		Failure:          Code(info.failure),
		FailedGlobalRank: int(info.failed_global_rank),
		FailureText:      C.GoString(info.failure_text),
		LayoutSpec:       C.GoString(info.layout_spec),
		WorkerSuffix:     C.GoString(info.worker_suffix),
	}, result
}

func (cLibrary) rankInfo(context unsafe.Pointer, rank int32) (RankInfo, status) {
	var info C.psRankInfo
	result := statusOf(C.psgo_rank_info(C.psContext(context), C.int32_t(rank), &info))
	if result.code < 0 {
		return RankInfo{}, result
	}
	return RankInfo{
		State:       RankState(info.state),
		Node:        int(info.node),
		LocalRank:   int(info.local_rank),
		PID:         int(info.pid),
		DeviceIndex: int(info.device_index),
		Hostname:    C.GoString(info.hostname),
		Address:     C.GoString(info.address),
		Silent:      time.Duration(info.silent_ms) * time.Millisecond,
	}, result
}

func (cLibrary) storeOpen(url string, options *StoreOptions) status {
	var strings texts
	defer strings.free()
	raw := C.psStoreOptions{
		flags:           C.uint32_t(options.Flags),
		secret:          strings.of(options.Secret),
		network:         strings.of(options.Network),
		timeout_ms:      C.int64_t(milliseconds(options.Timeout)),
		max_value_bytes: C.uint64_t(options.MaxValueBytes),
	}
	return statusOf(C.psgo_store_open(strings.always(url), &raw))
}

func (t *texts) groupOptions(options *GroupOptions) C.psGroupOptions {
	return C.psGroupOptions{
		flags:             C.uint32_t(options.Flags),
		name:              t.of(options.Name),
		backend:           t.of(options.Backend),
		backend_options:   t.of(options.BackendOptions),
		timeout_ms:        C.int64_t(milliseconds(options.Timeout)),
		max_object_bytes:  C.uint64_t(options.MaxObjectBytes),
		host_buffer_bytes: C.uint64_t(options.HostBufferBytes),
	}
}

func (cLibrary) newGroup(context unsafe.Pointer, ranks []int32, options *GroupOptions) status {
	var strings texts
	defer strings.free()
	raw := strings.groupOptions(options)
	return statusOf(C.psgo_new_group(C.psContext(context), firstRank(ranks), C.size_t(len(ranks)), &raw))
}

func (cLibrary) splitGroup(group unsafe.Pointer, color, key int32, options *GroupOptions) status {
	var strings texts
	defer strings.free()
	raw := strings.groupOptions(options)
	return statusOf(C.psgo_split_group(C.psGroup(group), C.int32_t(color), C.int32_t(key), &raw))
}

func (cLibrary) groupInfo(group unsafe.Pointer) (GroupInfo, status) {
	var info C.psGroupInfo
	result := statusOf(C.psgo_group_info(C.psGroup(group), &info))
	if result.code < 0 {
		return GroupInfo{}, result
	}
	return GroupInfo{
		Name:             C.GoString(info.name),
		Rank:             int(info.rank),
		Size:             int(info.size),
		HostCount:        int(info.host_count),
		GlobalRank:       int(info.global_rank),
		GlobalFirst:      int(info.global_first),
		GlobalLast:       int(info.global_last),
		GlobalNext:       int(info.global_next),
		GlobalPrev:       int(info.global_prev),
		Flags:            Flags(info.flags),
		Failure:          Code(info.failure),
		FailedGlobalRank: int(info.failed_global_rank),
		FailureText:      C.GoString(info.failure_text),
		HostBackend:      C.GoString(info.host_backend),
		DeviceBackend:    C.GoString(info.device_backend),
		Timeout:          time.Duration(info.timeout_ms) * time.Millisecond,
	}, result
}
