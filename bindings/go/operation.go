package parallelstate

import (
	"math"
	"unsafe"
)

// start makes one call of the library on a group. work nil: it returns when the operation is complete; else at once, and
// *work observes it. memory is what the package itself has to hold.
func (g *Group) start(op string, work **Work, call operation, memory ...span) error {
	names := []string{"root or destination", "source", "tag"}
	if err := checkNumbers(op, names, call.peer, call.src, call.tag); err != nil {
		return err
	}
	if call.count < 0 || call.recvCount < 0 {
		return refuse(op, "a count is negative: %d, %d", call.count, call.recvCount)
	}
	return g.submit(op, work, memory, work != nil, func(group unsafe.Pointer, asynchronous bool) status {
		return library.start(group, &call, asynchronous)
	})
}

func (g *Group) submit(op string, work **Work, memory []span, pinned bool,
	call func(group unsafe.Pointer, asynchronous bool) status) error {
	pointer, err := g.handle.acquire(op)
	if err != nil {
		return err
	}
	defer g.handle.release()
	held, err := holdMemory(op, pinned, memory)
	if err != nil {
		return err
	}
	result := call(pointer, work != nil)
	if err := result.err(op); err != nil || work == nil {
		held.release()
		return err
	}
	*work = newWork(op, result.object, held)
	return nil
}

// run is start with the memory and the type of slices.
func run[T Number](g *Group, op string, work **Work, send, recv []T, call operation) error {
	source, target := spanOf(send), spanOf(recv)
	call.send, call.recv, call.dtype = source.pointer, target.pointer, DataTypeOf[T]()
	return g.start(op, work, call, source, target)
}

// started makes the asynchronous form of a call.
func started(call func(work **Work) error) (*Work, error) {
	var work *Work
	err := call(&work)
	return work, err
}

func expectLength(op, what string, found, expected int, because string) error {
	if found != expected {
		return refuse(op, "%s has %d elements, but needs %d, %s", what, found, expected, because)
	}
	return nil
}

func (g *Group) has(root int) bool { return g.info.Rank == root }

// blocks are the counts and offsets of a buffer that is cut into one block for each rank.
type blocks struct {
	counts  []uintptr
	offsets []uintptr
	end     int // where the last of them ends
}

// checkBlocks converts counts and offsets (nil: packed); what names the buffer that has length elements, or -1 when that
// is not known.
func (g *Group) checkBlocks(op, what string, counts, offsets []int, length int) (blocks, error) {
	var cut blocks
	if g.handle == nil {
		_, err := g.handle.acquire(op) // says why there are no ranks
		return cut, err
	}
	if len(counts) != g.info.Size {
		return cut, refuse(op, "there are %d counts for %s, but needs %d, one for each rank", len(counts), what, g.info.Size)
	}
	if offsets != nil && len(offsets) != g.info.Size {
		return cut, refuse(op, "there are %d offsets for %s, but needs %d, one for each rank, or nil", len(offsets), what,
			g.info.Size)
	}
	cut.counts = make([]uintptr, len(counts))
	if offsets != nil {
		cut.offsets = make([]uintptr, len(counts))
	}
	packed := 0
	for rank, count := range counts {
		offset := packed
		if offsets != nil {
			offset = offsets[rank]
			if offset < 0 {
				return cut, refuse(op, "offset %d of rank %d in %s is negative", offset, rank, what)
			}
			cut.offsets[rank] = uintptr(offset)
		}
		if count < 0 || count > math.MaxInt-offset {
			return cut, refuse(op, "count %d of rank %d in %s is no count", count, rank, what)
		}
		cut.counts[rank] = uintptr(count)
		if packed = offset + count; count > 0 && packed > cut.end {
			cut.end = packed
		}
	}
	if length >= 0 && length < cut.end {
		return cut, refuse(op, "%s has %d elements, but its blocks end at %d", what, length, cut.end)
	}
	return cut, nil
}
