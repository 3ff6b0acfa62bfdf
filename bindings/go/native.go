package parallelstate

import "unsafe"

// status is what a call of the library gave: its result, the text of a failure, and what the call made.
type status struct {
	code   Code
	text   string
	object unsafe.Pointer
	value  int64
}

func (s status) err(op string) error {
	if s.code >= 0 {
		return nil
	}
	return libraryError(op, s.code, s.text)
}

// operationKind numbers the operations as shim.h does.
type operationKind int32

const (
	kindAllReduce operationKind = iota + 1
	kindReduce
	kindBroadcast
	kindAllGather
	kindAllGatherV
	kindGather
	kindGatherV
	kindScatter
	kindScatterV
	kindReduceScatter
	kindReduceScatterV
	kindAllToAll
	kindAllToAllV
	kindBarrier
	kindSend
	kindRecv
	kindSendRecv
)

// operation is the arguments of one call; each kind uses those that its function has.
type operation struct {
	kind        operationKind
	send, recv  unsafe.Pointer
	count       int // of elements; in the v-operations and messages, those that are sent
	recvCount   int
	sendCounts  []uintptr
	sendOffsets []uintptr
	recvCounts  []uintptr
	recvOffsets []uintptr
	dtype       DataType
	reduce      ReduceOp
	peer        int // root or destination
	src         int
	tag         int
	stream      unsafe.Pointer
}

// native is the C library as this package uses it. A build without cgo has none; tests have stand-ins.
type native interface {
	version() int32
	resultName(code Code) string // "unknown result" for one that it does not know
	libraryInfo() (string, status)

	initialize(config *Config, log uintptr) status
	finalize(context unsafe.Pointer) status
	abort(context unsafe.Pointer, reason string) status
	worldInfo(context unsafe.Pointer) (WorldInfo, status)
	rankInfo(context unsafe.Pointer, rank int32) (RankInfo, status)
	describe(context unsafe.Pointer) (string, status)

	storeOpen(url string, options *StoreOptions) status
	storeOf(context unsafe.Pointer) status
	storeFree(store unsafe.Pointer) status
	storeAddress(store unsafe.Pointer) (string, status)
	storeSet(store unsafe.Pointer, key string, value []byte, expireMs int64) status
	storeGet(store unsafe.Pointer, key string, timeoutMs int64) ([]byte, status)
	storeAdd(store unsafe.Pointer, key string, delta int64) status
	storeCompareAndSet(store unsafe.Pointer, key string, expected, desired []byte, expireMs int64) status
	storeDelete(store unsafe.Pointer, key string) status

	groupOf(context unsafe.Pointer, name string) status
	newGroup(context unsafe.Pointer, ranks []int32, options *GroupOptions) status
	splitGroup(group unsafe.Pointer, color, key int32, options *GroupOptions) status
	groupFree(group unsafe.Pointer) status
	groupInfo(group unsafe.Pointer) (GroupInfo, status)
	globalRanks(group unsafe.Pointer, ranks []int32) status
	findGlobal(group unsafe.Pointer, globalRank int32) status
	sameHost(group unsafe.Pointer, source int32, same []int32) status
	setTimeout(group unsafe.Pointer, timeoutMs int64) status
	groupAbort(group unsafe.Pointer, reason string) status
	opCreate(group unsafe.Pointer, kind ReduceOp, dtype DataType, scalar float64) status
	opFree(group unsafe.Pointer, op ReduceOp) status

	memoryAllocate(group unsafe.Pointer, bytes uintptr) status
	memoryFree(group, memory unsafe.Pointer) status
	memoryRegister(group, memory unsafe.Pointer, bytes uintptr) status
	memoryDeregister(group, memory unsafe.Pointer) status

	layoutCreate(spec string, worldSize int32) status
	layoutFree(layout unsafe.Pointer)
	layoutInfo(layout unsafe.Pointer) (layoutInfo, status)
	layoutGroupCount(layout unsafe.Pointer, name string) status
	layoutGroupRanks(layout unsafe.Pointer, name string, index int, ranks []int32) status
	layoutFind(layout unsafe.Pointer, name string, rank int32) (group, place int, result status)
	layoutCoordinate(layout unsafe.Pointer, axis string, rank int32) status
	layoutDescribe(layout unsafe.Pointer) (string, status)
	layoutDiff(layout, other unsafe.Pointer) (string, status)
	pipelineLayers(rule string, layers int64, stages int32, partition, boundaries []int64) status
	shardRange(total int64, parts, index int32) (Range, status)

	formModelParallel(context unsafe.Pointer, spec string, options *ModelParallelOptions, ensure bool) status
	modelParallelIsInitialized(context unsafe.Pointer) status
	destroyModelParallel(context unsafe.Pointer) status

	start(group unsafe.Pointer, call *operation, asynchronous bool) status
	batch(group unsafe.Pointer, messages []Message, stream unsafe.Pointer, asynchronous bool) status

	workTest(work unsafe.Pointer) status
	workWait(work unsafe.Pointer, timeoutMs int64) status
	workOrder(work, stream unsafe.Pointer, timeoutMs int64) status
	workError(work unsafe.Pointer) string
	workFree(work unsafe.Pointer) status

	allocate(bytes uintptr) unsafe.Pointer // nil: no memory
	free(memory unsafe.Pointer)
}
