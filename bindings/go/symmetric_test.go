//go:build cgo

package parallelstate

import (
	"errors"
	"testing"
)

func filled[T Number](slice []T, value T) []T {
	for i := range slice {
		slice[i] = value
	}
	return slice
}

func TestOperationsInMemory(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		memory, err := AllocateMemory[float32](world, 20000)
		if err != nil {
			return err
		}
		values := memory.Slice()
		if err := expectAll("new memory", values, make([]float32, 20000)); err != nil {
			return err
		}
		filled(values, float32(c.Rank()))
		if err := first(AllReduce(world, values, values, Sum),
			expectAll("all_reduce", values, filled(make([]float32, 20000), 3))); err != nil {
			return err
		}
		// Asynchronously too, with every Go; the others come when rank 0 has looked.
		if !world.IsFirst() {
			if err := Recv(world, []int8{0}, 0, 0); err != nil {
				return err
			}
		}
		work, err := AllReduceAsync(world, values[:10000], values[:10000], Max)
		if err != nil {
			return err
		}
		if world.IsFirst() {
			if err := first(expectError(memory.Close(), ErrState, "use the memory"), Send(world, []int8{0}, 1, 0),
				Send(world, []int8{0}, 2, 0)); err != nil {
				return err
			}
		}
		if err := first(work.Wait(), memory.Close(), memory.Close()); err != nil {
			return err
		}
		if memory.Slice() != nil {
			return errors.New("a slice of memory that was freed")
		}
		none, err := AllocateMemory[int64](world, 0)
		if err != nil {
			return err
		}
		return first(AllReduce(world, none.Slice(), none.Slice(), Sum), none.Close())
	})
}

func TestMembersAgreeOnMemory(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		_, err := AllocateMemory[uint8](world, 100+c.Rank())
		if err := expectError(err, ErrMismatch, "rank 1 asks for 101 bytes, but rank 0 for 100"); err != nil {
			return err
		}
		_, err = AllocateMemory[uint64](world, -1)
		if err := expectError(err, ErrArgument, "no size of memory"); err != nil {
			return err
		}
		var pieces [2]*Memory[int32]
		for i := range pieces {
			if pieces[i], err = AllocateMemory[int32](world, 5000); err != nil {
				return err
			}
		}
		err = pieces[c.Rank()].Close()
		if err := expectError(err, ErrMismatch, "rank 1 names other memory"); err != nil {
			return err
		}
		// It is still there.
		values := filled(pieces[c.Rank()].Slice(), 1)
		return first(AllReduce(world, values, values, Sum), expectAll("all_reduce", values, filled(make([]int32, 5000), 2)),
			pieces[0].Close(), pieces[1].Close())
	})
}

func TestRegisteredSlices(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		values := filled(make([]float64, 5000+c.Rank()), 1)
		registration, err := Register(world, values)
		if !PinsGoMemory {
			if err := expectError(err, ErrUnsupported, "cannot pin"); err != nil {
				return err
			}
			buffer, err := Alloc[float64](5000 + c.Rank())
			if err != nil {
				return err
			}
			defer buffer.Free()
			values = filled(buffer.Slice(), 1)
			registration, err = Register(world, values)
			if err != nil {
				return err
			}
		} else if err != nil {
			return err
		}
		values = values[:5000]
		if err := first(AllReduce(world, values, values, Sum),
			expectAll("all_reduce", values, filled(make([]float64, 5000), 3)),
			registration.Close(), registration.Close()); err != nil {
			return err
		}
		nothing, err := Register[int8](world, nil)
		if err != nil {
			return err
		}
		return nothing.Close()
	})
}

func TestMemoryGoesWithItsGroup(t *testing.T) {
	runWorld(t, 2, func(c *Context) error {
		group, err := c.NewGroup([]int{0, 1}, &GroupOptions{Flags: OwnCommunicator})
		if err != nil {
			return err
		}
		memory, err := AllocateMemory[int32](group, 5000)
		if err != nil {
			return err
		}
		registration, err := Register(group, memory.Slice()[:2000])
		if err != nil {
			return err
		}
		if err := expectError(memory.Close(), ErrState, "1 operations or registrations"); err != nil {
			return err
		}
		return first(AllReduce(group, memory.Slice(), memory.Slice(), Sum), group.Close(), registration.Close(), memory.Close())
	})
}
