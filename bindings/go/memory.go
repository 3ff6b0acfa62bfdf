package parallelstate

import (
	"fmt"
	"sort"
	"sync"
	"unsafe"
)

// Buffer is memory outside of Go's heap, which the garbage collector neither moves nor frees. With Go before 1.21 it is the
// only memory that asynchronous operations take.
type Buffer[T Number] struct {
	slice  []T
	region *region
}

// Alloc gives a zeroed Buffer of n elements. Free it.
func Alloc[T Number](n int) (*Buffer[T], error) {
	const op = "Alloc"
	if err := ready(op); err != nil {
		return nil, err
	}
	var zero T
	size := int(unsafe.Sizeof(zero))
	if n < 0 || n > int(^uint(0)>>1)/size {
		return nil, refuse(op, "%d elements of %d bytes is no size of memory", n, size)
	}
	if n == 0 {
		return &Buffer[T]{}, nil
	}
	memory := library.allocate(uintptr(n * size))
	if memory == nil {
		return nil, &Error{Code: ErrNoMemory, Op: op, Msg: fmt.Sprintf("there are no %d bytes", n*size)}
	}
	slice := unsafe.Slice((*T)(memory), n)
	return &Buffer[T]{slice, regions.add(memory, uintptr(n*size))}, nil
}

// Slice returns the memory, as the same slice each time. It is nil after Free, and must not be used after it.
func (b *Buffer[T]) Slice() []T { return b.slice }

// Free gives the memory back. ErrState: an operation is using it; wait for it first. A second Free does nothing.
func (b *Buffer[T]) Free() error {
	if b == nil || b.region == nil {
		return nil
	}
	sweep()
	if users := regions.remove(b.region); users > 0 {
		return &Error{Code: ErrState, Op: "Buffer.Free",
			Msg: fmt.Sprintf("%d operations that are not complete use the memory; wait for them first", users)}
	}
	library.free(b.region.memory)
	b.slice, b.region = nil, nil
	return nil
}

// region is the memory of one Buffer or Memory.
type region struct {
	memory unsafe.Pointer
	bytes  uintptr
	users  int            // operations that are not complete
	owner  unsafe.Pointer // the group of a Memory
}

func (r *region) contains(memory span) bool {
	return uintptr(memory.pointer) >= uintptr(r.memory) && uintptr(memory.pointer)-uintptr(r.memory) < r.bytes
}

// regions are all of them, by address.
var regions regionList

type regionList struct {
	mu   sync.Mutex
	list []*region
}

func (l *regionList) add(memory unsafe.Pointer, bytes uintptr) *region {
	made := &region{memory: memory, bytes: bytes}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.after(uintptr(memory))
	l.list = append(l.list, nil)
	copy(l.list[at+1:], l.list[at:])
	l.list[at] = made
	return made
}

// remove takes the region out, unless it has users, whose number it returns.
func (l *regionList) remove(r *region) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.users == 0 {
		at := l.after(uintptr(r.memory)) - 1
		l.list = append(l.list[:at], l.list[at+1:]...)
	}
	return r.users
}

// removeOf takes out the memory of a group that was freed.
func (l *regionList) removeOf(group unsafe.Pointer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := l.list[:0]
	for _, region := range l.list {
		if region.owner != group {
			kept = append(kept, region)
		}
	}
	l.list = kept
}

// use counts a user of the region that the memory lies in, until unuse; nil when it lies in none.
func (l *regionList) use(memory span) *region {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.after(uintptr(memory.pointer)) - 1
	if at < 0 || !l.list[at].contains(memory) {
		return nil
	}
	l.list[at].users++
	return l.list[at]
}

func (l *regionList) unuse(r *region) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r.users--
}

// after is the place of the first region that begins beyond the address.
func (l *regionList) after(address uintptr) int {
	return sort.Search(len(l.list), func(i int) bool { return uintptr(l.list[i].memory) > address })
}

// hold keeps the memory of an operation where it is: regions that are not freed, and pinned memory of Go.
type hold struct {
	regions []*region
	pins    pins
	spans   []span
}

// holdMemory holds the memory of an operation until release. What lies outside of regions is pinned on demand, which only
// newer Go can.
func holdMemory(op string, pinned bool, memory []span) (*hold, error) {
	held := &hold{spans: memory}
	for _, part := range memory {
		if part.pointer == nil {
			continue
		}
		if region := regions.use(part); region != nil {
			held.regions = append(held.regions, region)
		} else if pinned && !held.pins.pin(part.pointer) {
			held.release()
			return nil, &Error{Code: ErrUnsupported, Op: op, Msg: "this slice is memory of Go, which asynchronous calls " +
				"take only in programs built with Go 1.21 or newer, because older Go cannot pin it; take the memory from " +
				"parallelstate.Alloc, or make the blocking call in a goroutine"}
		}
	}
	return held, nil
}

func (h *hold) release() {
	for _, region := range h.regions {
		regions.unuse(region)
	}
	h.pins.unpin()
	h.regions, h.spans = nil, nil
}
