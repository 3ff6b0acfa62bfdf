package parallelstate

// #cgo pkg-config: parallelstate
// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

type cLibrary struct{}

var library native = cLibrary{}

const whyUnavailable = ""

func statusOf(s C.psgo_status) status {
	result := status{code: Code(s.result), object: s.object, value: int64(s.value)}
	if s.text != nil {
		result.text = C.GoString(s.text)
		C.free(unsafe.Pointer(s.text))
	}
	return result
}

// texts makes C strings of Go strings, and frees them together. An empty string is NULL, the default of every option.
type texts []unsafe.Pointer

func (t *texts) of(text string) *C.char {
	if text == "" {
		return nil
	}
	return t.always(text)
}

func (t *texts) always(text string) *C.char {
	made := C.CString(text)
	*t = append(*t, unsafe.Pointer(made))
	return made
}

func (t *texts) free() {
	for _, text := range *t {
		C.free(text)
	}
}

func firstByte(data []byte) *C.char {
	if len(data) == 0 {
		return nil
	}
	return (*C.char)(unsafe.Pointer(&data[0]))
}

func firstSize(sizes []uintptr) *C.size_t {
	if len(sizes) == 0 {
		return nil
	}
	return (*C.size_t)(unsafe.Pointer(&sizes[0]))
}

func firstRank(ranks []int32) *C.int32_t {
	if len(ranks) == 0 {
		return nil
	}
	return (*C.int32_t)(unsafe.Pointer(&ranks[0]))
}

func flag(set bool) C.int {
	if set {
		return 1
	}
	return 0
}

// takeParts copies the parts of a psBytes that a call made, and frees it.
func takeParts(made status) ([][]byte, status) {
	if made.code < 0 {
		return nil, made
	}
	bytes := C.psBytes(made.object)
	defer C.psBytesFree(bytes)
	var count C.size_t
	result := statusOf(C.psgo_bytes_count(bytes, &count))
	parts := make([][]byte, 0, int(count))
	for index := C.size_t(0); result.code >= 0 && index < count; index++ {
		var data unsafe.Pointer
		var size C.size_t
		result = statusOf(C.psgo_bytes_at(bytes, index, &data, &size))
		part := make([]byte, int(size))
		if result.code >= 0 && size > 0 {
			copy(part, unsafe.Slice((*byte)(data), int(size)))
		}
		parts = append(parts, part)
	}
	return parts, result
}

// takeBytes is takeParts for a psBytes of one part.
func takeBytes(made status) ([]byte, status) {
	parts, result := takeParts(made)
	if result.code < 0 {
		return nil, result
	}
	if len(parts) != 1 {
		return nil, status{code: ErrInternal, text: fmt.Sprintf("the library made %d parts where 1 was due", len(parts))}
	}
	return parts[0], result
}

func takeText(made status) (string, status) {
	value, result := takeBytes(made)
	return string(value), result
}

func (cLibrary) version() int32 { return int32(C.psVersion()) }

func (cLibrary) resultName(code Code) string { return C.GoString(C.psResultName(C.psResult(code))) }

func (cLibrary) libraryInfo() (string, status) { return takeText(statusOf(C.psgo_library_info())) }

func (cLibrary) finalize(context unsafe.Pointer) status {
	return statusOf(C.psgo_finalize(C.psContext(context)))
}

func (cLibrary) abort(context unsafe.Pointer, reason string) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_abort(C.psContext(context), strings.of(reason)))
}

func (cLibrary) describe(context unsafe.Pointer) (string, status) {
	return takeText(statusOf(C.psgo_describe(C.psContext(context))))
}

func (cLibrary) storeOf(context unsafe.Pointer) status {
	return statusOf(C.psgo_get_store(C.psContext(context)))
}

func (cLibrary) storeFree(store unsafe.Pointer) status {
	return statusOf(C.psgo_store_free(C.psStore(store)))
}

func (cLibrary) storeAddress(store unsafe.Pointer) (string, status) {
	var url *C.char
	result := statusOf(C.psgo_store_address(C.psStore(store), &url))
	if result.code < 0 {
		return "", result
	}
	return C.GoString(url), result
}

func (cLibrary) storeSet(store unsafe.Pointer, key string, value []byte, expireMs int64) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_store_set(C.psStore(store), strings.always(key), firstByte(value), C.size_t(len(value)),
		C.int64_t(expireMs)))
}

func (cLibrary) storeGet(store unsafe.Pointer, key string, timeoutMs int64) ([]byte, status) {
	var strings texts
	defer strings.free()
	return takeBytes(statusOf(C.psgo_store_get(C.psStore(store), strings.always(key), C.int64_t(timeoutMs))))
}

func (cLibrary) storeAdd(store unsafe.Pointer, key string, delta int64) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_store_add(C.psStore(store), strings.always(key), C.int64_t(delta)))
}

func (cLibrary) storeCompareAndSet(store unsafe.Pointer, key string, expected, desired []byte, expireMs int64) status {
	var strings texts
	defer strings.free()
	old := firstByte(expected)
	if expected != nil && old == nil {
		old = strings.always("") // an empty value is expected, which is not the same as none
	}
	return statusOf(C.psgo_store_compare_and_set(C.psStore(store), strings.always(key), old, C.size_t(len(expected)),
		firstByte(desired), C.size_t(len(desired)), C.int64_t(expireMs)))
}

func (cLibrary) storeDelete(store unsafe.Pointer, key string) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_store_delete(C.psStore(store), strings.always(key)))
}

func (cLibrary) groupOf(context unsafe.Pointer, name string) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_get_group(C.psContext(context), strings.always(name)))
}

func (cLibrary) groupFree(group unsafe.Pointer) status {
	return statusOf(C.psgo_group_free(C.psGroup(group)))
}

func (cLibrary) globalRanks(group unsafe.Pointer, ranks []int32) status {
	return statusOf(C.psgo_global_ranks(C.psGroup(group), firstRank(ranks), C.size_t(len(ranks))))
}

func (cLibrary) findGlobal(group unsafe.Pointer, globalRank int32) status {
	return statusOf(C.psgo_find_global(C.psGroup(group), C.int32_t(globalRank)))
}

func (cLibrary) sameHost(group unsafe.Pointer, source int32, same []int32) status {
	return statusOf(C.psgo_same_host(C.psGroup(group), C.int32_t(source), firstRank(same), C.size_t(len(same))))
}

func (cLibrary) setTimeout(group unsafe.Pointer, timeoutMs int64) status {
	return statusOf(C.psgo_set_timeout(C.psGroup(group), C.int64_t(timeoutMs)))
}

func (cLibrary) groupAbort(group unsafe.Pointer, reason string) status {
	var strings texts
	defer strings.free()
	return statusOf(C.psgo_group_abort(C.psGroup(group), strings.of(reason)))
}

func (cLibrary) opCreate(group unsafe.Pointer, kind ReduceOp, dtype DataType, scalar float64) status {
	return statusOf(C.psgo_op_create(C.psGroup(group), C.psReduceOp(kind), C.psDataType(dtype), C.double(scalar)))
}

func (cLibrary) opFree(group unsafe.Pointer, op ReduceOp) status {
	return statusOf(C.psgo_op_free(C.psGroup(group), C.psReduceOp(op)))
}

func (cLibrary) memoryAllocate(group unsafe.Pointer, bytes uintptr) status {
	return statusOf(C.psgo_mem_alloc(C.psGroup(group), C.size_t(bytes)))
}

func (cLibrary) memoryFree(group, memory unsafe.Pointer) status {
	return statusOf(C.psgo_mem_free(C.psGroup(group), memory))
}

func (cLibrary) memoryRegister(group, memory unsafe.Pointer, bytes uintptr) status {
	return statusOf(C.psgo_register(C.psGroup(group), memory, C.size_t(bytes)))
}

func (cLibrary) memoryDeregister(group, memory unsafe.Pointer) status {
	return statusOf(C.psgo_deregister(C.psGroup(group), memory))
}

func (cLibrary) start(group unsafe.Pointer, call *operation, asynchronous bool) status {
	result := statusOf(C.psgo_start(C.int32_t(call.kind), C.psGroup(group), (*C.char)(call.send), (*C.char)(call.recv),
		C.size_t(call.count), C.size_t(call.recvCount), firstSize(call.sendCounts), firstSize(call.sendOffsets),
		firstSize(call.recvCounts), firstSize(call.recvOffsets), C.psDataType(call.dtype), C.psReduceOp(call.reduce),
		C.int32_t(call.peer), C.int32_t(call.src), C.int32_t(call.tag), call.stream, flag(asynchronous)))
	runtime.KeepAlive(call)
	return result
}

func (cLibrary) batch(group unsafe.Pointer, messages []Message, stream unsafe.Pointer, asynchronous bool) status {
	array := make([]C.psMessage, len(messages)+1) // never empty, for a batch of nothing to have an address
	for i, message := range messages {
		array[i].direction = C.psDirection(message.direction)
		array[i].buffer = message.memory.pointer
		array[i].count = C.size_t(message.count)
		array[i].dtype = C.psDataType(message.dtype)
		array[i].peer = C.int32_t(message.peer)
		array[i].tag = C.int32_t(message.tag)
	}
	return statusOf(C.psgo_batch(C.psGroup(group), &array[0], C.size_t(len(messages)), stream, flag(asynchronous)))
}

func (cLibrary) workTest(work unsafe.Pointer) status {
	return statusOf(C.psgo_work_test(C.psWork(work)))
}

func (cLibrary) workWait(work unsafe.Pointer, timeoutMs int64) status {
	return statusOf(C.psgo_work_wait(C.psWork(work), C.int64_t(timeoutMs)))
}

func (cLibrary) workOrder(work, stream unsafe.Pointer, timeoutMs int64) status {
	return statusOf(C.psgo_work_order(C.psWork(work), stream, C.int64_t(timeoutMs)))
}

func (cLibrary) workError(work unsafe.Pointer) string {
	var text *C.char
	if result := statusOf(C.psgo_work_error(C.psWork(work), &text)); result.code < 0 {
		return ""
	}
	return C.GoString(text)
}

func (cLibrary) workFree(work unsafe.Pointer) status {
	return statusOf(C.psgo_work_free(C.psWork(work)))
}

func (cLibrary) allocate(bytes uintptr) unsafe.Pointer {
	return unsafe.Pointer(C.psgo_allocate(C.size_t(bytes)))
}

func (cLibrary) free(memory unsafe.Pointer) { C.free(memory) }
