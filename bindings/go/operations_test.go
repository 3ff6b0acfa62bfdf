//go:build cgo

package parallelstate

import (
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// What the shared table does not have: types of the program, offsets, batches, raw memory, slices of Go in asynchronous
// calls. The table itself is run by internal/table.

func TestTypesOfTheProgram(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		values := []myInt{myInt(c.Rank()), 7}
		ints := []int{c.Rank(), 1 << 40}
		bools := []Bool{BoolOf(c.Rank() == 1), 200}
		return first(
			AllReduce(world, values, values, Sum), expectAll("int32", values, []myInt{3, 21}),
			AllReduce(world, ints, ints, Sum), expectAll("int", ints, []int{3, 3 << 40}),
			AllReduce(world, bools, bools, LogicalOr), expectAll("bool", bools, []Bool{1, 1}))
	})
}

func TestSlicesInsideOfOtherMemory(t *testing.T) {
	type record struct {
		name   *string
		values [8]float64
	}
	inWorld(t, 2, func(c *Context, world *Group) error {
		name := "memory with pointers beside the numbers"
		own := &record{name: &name}
		for i := range own.values {
			own.values[i] = 1
		}
		if err := AllReduce(world, own.values[2:4], own.values[2:4], Sum); err != nil {
			return err
		}
		return expectAll("values", own.values[:], []float64{1, 1, 2, 2, 1, 1, 1, 1})
	})
}

func TestNothing(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		return first(AllReduce[int](world, nil, nil, Sum), AllGather(world, []int8{}, nil), Broadcast[int](world, nil, nil, 0),
			AllToAll[float64](world, nil, nil), world.Batch(), Scatter[int](world, nil, nil, 2),
			ReduceScatterV[int](world, nil, nil, []int{0, 0, 0}, Max), world.Barrier())
	})
}

func TestOffsets(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		rank := c.Rank()
		recv := []int{-1, -1, -1, -1, -1}
		send := []int{10, 11, 12}[:1+rank]
		if err := first(AllGatherV(world, send, recv, []int{1, 2}, []int{4, 1}),
			expectAll("all_gather_v", recv, []int{-1, 10, 11, -1, 10})); err != nil {
			return err
		}
		gathered := []int{-1, -1, -1, -1}
		err := GatherV(world, send, gathered, []int{1, 2}, []int{3, 0}, 1)
		expected := []int{-1, -1, -1, -1}
		if rank == 1 {
			expected = []int{10, 11, -1, 10}
		}
		if err := first(err, expectAll("gather_v", gathered, expected)); err != nil {
			return err
		}
		part := make([]int, 1)
		if err := first(ScatterV(world, []int{5, 6, 7}, part, []int{1, 1}, []int{2, 0}, 0),
			expect("scatter_v", part[0], 7-2*rank)); err != nil {
			return err
		}
		exchanged := []int{-1, -1, -1}
		return first(AllToAllV(world, []int{rank, 2 + rank}, []int{1, 1}, []int{1, 0}, exchanged, []int{1, 1}, []int{2, 0}),
			expectAll("all_to_all_v", exchanged, [][]int{{3, -1, 2}, {1, -1, 0}}[rank]))
	})
}

func TestPremulSum(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		op, err := NewPremulSum[float64](world, 0.1*float64(1+c.Rank()))
		if err != nil {
			return err
		}
		values := []float64{10}
		_, wrong := NewPremulSum[int](world, 2)
		return first(AllReduce(world, values, values, op), expect("sum", values[0], 0.1*10+0.2*10), world.FreeReduceOp(op),
			expectError(AllReduce(world, values, values, op), ErrArgument, ""), notNil(wrong))
	})
}

func notNil(err error) error {
	if err == nil {
		return fmt.Errorf("no error")
	}
	return nil
}

func TestMessages(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		rank := c.Rank()
		token, received := []int{rank}, make([]int, 1)
		if err := first(SendRecv(world, token, Next, received, Prev, 3), expect("token", received[0], world.Prev())); err != nil {
			return err
		}
		floats, half := []float32{float32(rank), 2}, []Float16{Float16Of(float32(rank))}
		gotFloats, gotHalf := make([]float32, 2), make([]Float16, 1)
		err := world.Batch(SendMessage(floats, Next, 1), SendMessage(half, Prev, 2), RecvMessage(gotFloats, Prev, 1),
			RecvMessage(gotHalf, Next, 2))
		if err := first(err, expectAll("floats", gotFloats, []float32{float32(world.Prev()), 2}),
			expect("half", gotHalf[0].Float32(), float32(world.Next()))); err != nil {
			return err
		}
		switch rank {
		case 0:
			return Send(world, []uint8("hello"), 1, 9)
		case 1:
			text := make([]uint8, 5)
			return first(Recv(world, text, 0, 9), expect("text", string(text), "hello"))
		}
		return nil
	})
}

func TestPointers(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		buffer, err := Alloc[int32](8)
		if err != nil {
			return err
		}
		defer buffer.Free()
		values := buffer.Slice()
		at := func(i int) unsafe.Pointer { return Address(uintptr(unsafe.Pointer(&values[i]))) }
		values[0] = int32(1 + c.Rank())
		pointers := world.Pointers(nil)
		var work *Work
		if err := first(pointers.AllReduce(at(0), at(1), 1, TypeInt32, Sum, &work), work.Wait(),
			pointers.AllGather(at(0), at(2), 1, TypeInt32, nil),
			pointers.Batch([]Message{PointerMessage(DirectionSend, at(0), 1, TypeInt32, Next, 0),
				PointerMessage(DirectionRecv, at(4), 1, TypeInt32, Prev, 0)}, &work),
			work.Order(nil, time.Minute),
			pointers.AllToAllV(at(0), []int{1, 0}, nil, at(5), []int{1 - c.Rank(), 1 - c.Rank()}, nil, TypeInt32, nil)); err != nil {
			return err
		}
		expected := [][]int32{{1, 3, 1, 2, 2, 1, 2, 0}, {2, 3, 1, 2, 1, 0, 0, 0}}
		return expectAll("values", values, expected[c.Rank()])
	})
}

func TestAsynchronousCallsUnderTheGarbageCollector(t *testing.T) {
	stop := make(chan struct{})
	var collector sync.WaitGroup
	collector.Add(1)
	go func() {
		defer collector.Done()
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	const rounds, count = 60, 3000
	inWorld(t, 3, func(c *Context, world *Group) error {
		var kept []*Work
		var outputs [][]int
		for round := 0; round < rounds; round++ {
			send, recv, err := asyncSlices(count, round+c.Rank())
			if err != nil {
				return err
			}
			work, err := AllReduceAsync(world, send, recv, Sum)
			if err != nil {
				return err
			}
			if round%2 == 0 { // the others are forgotten
				kept, outputs = append(kept, work), append(outputs, recv)
			}
			garbage(count)
		}
		for i, work := range kept {
			if err := work.Wait(); err != nil {
				return err
			}
			for _, value := range outputs[i] {
				if value != 3*2*i+3 {
					return fmt.Errorf("round %d gave %d", 2*i, value)
				}
			}
		}
		return world.Barrier()
	})
	close(stop)
	collector.Wait()
}

// asyncSlices gives memory that an asynchronous call takes: of Go, where it can be pinned.
func asyncSlices(count, value int) (send, recv []int, err error) {
	if PinsGoMemory {
		send, recv = make([]int, count), make([]int, count)
	} else {
		buffer, err := Alloc[int](2 * count) // never freed: forgotten like the others
		if err != nil {
			return nil, nil, err
		}
		send, recv = buffer.Slice()[:count], buffer.Slice()[count:]
	}
	for i := range send {
		send[i] = value
	}
	return send, recv, nil
}

// garbage makes the allocator use what was freed.
func garbage(count int) {
	for i := 0; i < 4; i++ {
		made := make([]int, count)
		for at := range made {
			made[at] = -1
		}
		runtime.KeepAlive(made)
	}
}

func TestBarrierWithALimitOfItsOwn(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		if c.Rank() == 1 {
			return first(Recv(world, make([]int, 1), 0, 0), world.Barrier())
		}
		work, err := world.BarrierAsync()
		if err != nil {
			return err
		}
		return first(expectError(work.WaitTimeout(time.Millisecond), ErrTimeout, "rank 1"), Send(world, []int{1}, 1, 0),
			work.WaitTimeout(time.Minute))
	})
}

func TestMappedMemoryNeedsNoPin(t *testing.T) {
	if !PinsGoMemory {
		t.Skip("older Go takes the memory of Alloc alone")
	}
	inWorld(t, 2, func(c *Context, world *Group) error {
		mapped, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			return err
		}
		defer syscall.Munmap(mapped)
		mapped[7] = 1
		work, err := AllReduceAsync(world, mapped, mapped, Sum)
		if err != nil {
			return err
		}
		return first(work.Wait(), expect("sum", mapped[7], 2))
	})
}
