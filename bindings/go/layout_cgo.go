package parallelstate

// #include "shim.h"
import "C"

import "unsafe"

func (cLibrary) layoutCreate(spec string, worldSize int32) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_layout_create(strings.always(spec), C.int32_t(worldSize)))
}

func (cLibrary) layoutFree(layout unsafe.Pointer) { C.psLayoutFree(C.psLayout(layout)) }

func (cLibrary) layoutInfo(layout unsafe.Pointer) (layoutInfo, status) {
	handle := C.psLayout(layout)
	var raw C.psLayoutInfo
	result := statusOf(C.psgo_layout_info(handle, &raw))
	if result.code < 0 {
		return layoutInfo{}, result
	}
	info := layoutInfo{spec: C.GoString(raw.spec), worldSize: int(raw.world_size), hash: uint64(raw.hash)}
	for index := C.size_t(0); index < raw.name_count; index++ {
		var name, aliasOf *C.char
		if result = statusOf(C.psgo_layout_name(handle, index, &name, &aliasOf)); result.code < 0 {
			return layoutInfo{}, result
		}
		info.names = append(info.names, LayoutName{C.GoString(name), C.GoString(aliasOf)})
	}
	for index := C.size_t(0); index < raw.axis_count; index++ {
		var name *C.char
		var size C.int32_t
		if result = statusOf(C.psgo_layout_axis(handle, index, &name, &size)); result.code < 0 {
			return layoutInfo{}, result
		}
		info.axes = append(info.axes, LayoutAxis{C.GoString(name), int(size)})
	}
	return info, result
}

func (cLibrary) layoutGroupCount(layout unsafe.Pointer, name string) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_layout_group_count(C.psLayout(layout), strings.always(name)))
}

func (cLibrary) layoutGroupRanks(layout unsafe.Pointer, name string, index int, ranks []int32) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_layout_group_ranks(C.psLayout(layout), strings.always(name), C.size_t(index), firstRank(ranks),
		C.size_t(len(ranks))))
}

func (cLibrary) layoutFind(layout unsafe.Pointer, name string, rank int32) (group, place int, result status) {
	var strings texts
	defer strings.free()
	var index C.size_t
	var own C.int32_t
	result = statusOf(C.psgo_layout_find(C.psLayout(layout), strings.always(name), C.int32_t(rank), &index, &own))
	return int(index), int(own), result
}

func (cLibrary) layoutCoordinate(layout unsafe.Pointer, axis string, rank int32) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_layout_coordinate(C.psLayout(layout), strings.always(axis), C.int32_t(rank)))
}

func (cLibrary) layoutDescribe(layout unsafe.Pointer) (string, status) {
	return takeText(statusOf(C.psgo_layout_describe(C.psLayout(layout))))
}

func (cLibrary) layoutDiff(layout, other unsafe.Pointer) (string, status) {
	return takeText(statusOf(C.psgo_layout_diff(C.psLayout(layout), C.psLayout(other))))
}

func firstInt64(numbers []int64) *C.int64_t {
	if len(numbers) == 0 {
		return nil
	}
	return (*C.int64_t)(unsafe.Pointer(&numbers[0]))
}

func (cLibrary) pipelineLayers(rule string, layers int64, stages int32, partition, boundaries []int64) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_pipeline_layers(strings.always(rule), C.int64_t(layers), C.int32_t(stages),
		firstInt64(partition), firstInt64(boundaries)))
}

func (cLibrary) shardRange(total int64, parts, index int32) (Range, status) {
	var begin, end C.int64_t
	result := statusOf(C.psgo_shard_range(C.int64_t(total), C.int32_t(parts), C.int32_t(index), &begin, &end))
	return Range{int(begin), int(end)}, result
}

func (cLibrary) formModelParallel(context unsafe.Pointer, spec string, options *ModelParallelOptions, ensure bool) status {
	var strings texts
	defer strings.free()
	raw := C.psModelParallelOptions{
		flags:           C.uint32_t(options.Flags),
		backend_options: strings.of(options.BackendOptions),
		timeout_ms:      C.int64_t(milliseconds(options.Timeout)),
	}
	return statusOf(C.psgo_form_model_parallel(C.psContext(context), strings.always(spec), &raw, flag(ensure)))
}

func (cLibrary) modelParallelIsInitialized(context unsafe.Pointer) status {
	return statusOf(C.psgo_model_parallel_is_initialized(C.psContext(context)))
}

func (cLibrary) destroyModelParallel(context unsafe.Pointer) status {
	return statusOf(C.psgo_destroy_model_parallel(C.psContext(context)))
}
