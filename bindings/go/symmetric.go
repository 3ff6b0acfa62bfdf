package parallelstate

import (
	"fmt"
	"unsafe"
)

// Memory is this rank's part of memory that all members of a group reach: the group's operations use slices of it where
// they are. It is outside of Go's heap, so asynchronous operations take it with every version of Go.
type Memory[T Number] struct {
	slice  []T
	memory unsafe.Pointer
	group  *Group
	region *region // nil without bytes
}

// AllocateMemory gives zeroed memory of n elements for each member. All members call it, with the same n and a type of the
// same size. Close it.
func AllocateMemory[T Number](g *Group, n int) (*Memory[T], error) {
	const op = "AllocateMemory"
	var zero T
	size := int(unsafe.Sizeof(zero))
	if n < 0 || n > int(^uint(0)>>1)/size {
		return nil, refuse(op, "%d elements of %d bytes is no size of memory", n, size)
	}
	sweep()
	var owner unsafe.Pointer
	made, err := g.use(op, func(group unsafe.Pointer) status {
		owner = group
		return library.memoryAllocate(group, uintptr(n*size))
	})
	if err != nil {
		return nil, err
	}
	memory := &Memory[T]{slice: unsafe.Slice((*T)(made.object), n), memory: made.object, group: g}
	if n > 0 {
		memory.region = regions.add(made.object, uintptr(n*size))
		memory.region.owner = owner
	}
	return memory, nil
}

// Slice returns the memory, as the same slice each time. It is nil after Close. It must not be used after Close, nor after
// its group was closed.
func (m *Memory[T]) Slice() []T {
	if m == nil {
		return nil
	}
	return m.slice
}

// Close frees the memory; all members call it, in the same order. ErrState: an operation or a registration is using it.
// After another error the memory is still there. A second Close does nothing, nor does one after the group's, with which
// the memory went.
func (m *Memory[T]) Close() error {
	const op = "Memory.Close"
	if m == nil || m.memory == nil {
		return nil
	}
	pointer, err := m.group.handle.acquire(op)
	if err != nil {
		m.slice, m.memory, m.region = nil, nil, nil
		return nil
	}
	defer m.group.handle.release()
	sweep()
	if m.region != nil {
		if users := regions.remove(m.region); users > 0 {
			return &Error{Code: ErrState, Op: op,
				Msg: fmt.Sprintf("%d operations or registrations use the memory; wait for them or close them first", users)}
		}
	}
	if err := library.memoryFree(pointer, m.memory).err(op); err != nil {
		if m.region != nil {
			m.region = regions.add(m.memory, m.region.bytes)
			m.region.owner = pointer
		}
		return err
	}
	m.slice, m.memory, m.region = nil, nil, nil
	return nil
}

// Registration is a slice that a group's operations use where it is. Close it.
type Registration struct {
	group  *Group
	memory unsafe.Pointer
	held   *hold
	closed bool
}

// Register lets the group's operations use a slice where it is; all members call it, each with a slice of any length.
//
// Between processes the slices must lie in one [Memory] of this group, or of a group that has all its members; between
// goroutines that are ranks any slice will do. ErrUnsupported says whose is not. The slice is pinned until Close; with Go
// before 1.21, which cannot pin, it has to be of [Memory] or of [Alloc].
func Register[T Number](g *Group, slice []T) (*Registration, error) {
	const op = "Register"
	memory := spanOf(slice)
	sweep()
	held, err := holdMemory(op, true, []span{memory})
	if err != nil {
		return nil, err
	}
	if _, err := g.use(op, func(group unsafe.Pointer) status {
		return library.memoryRegister(group, memory.pointer, memory.bytes)
	}); err != nil {
		held.release()
		return nil, err
	}
	return &Registration{group: g, memory: memory.pointer, held: held}, nil
}

// Close ends the registration; all members call it, in the same order. After an error it is still there. A second Close
// does nothing.
func (r *Registration) Close() error {
	const op = "Registration.Close"
	if r == nil || r.closed {
		return nil
	}
	if pointer, err := r.group.handle.acquire(op); err == nil {
		defer r.group.handle.release()
		if err := library.memoryDeregister(pointer, r.memory).err(op); err != nil {
			return err
		}
	}
	r.held.release()
	r.closed = true
	return nil
}
