//go:build cgo

package parallelstate_test

import (
	"errors"
	"fmt"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

// alone is a world of one rank, which needs no launcher.
var alone = &ps.Config{Rank: 0, WorldSize: 1, Flags: ps.NoEnvironment | ps.HostOnly}

func Example() {
	context, err := ps.Init(alone) // ps.Init(nil) under psctl run
	if err != nil {
		fmt.Println(err)
		return
	}
	defer context.Close()
	world, err := context.World()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer world.Close()
	values := []float32{1, 2, 3}
	if err := ps.AllReduce(world, values, values, ps.Sum); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(context, values)
	// Output: rank 0 of 1 [1 2 3]
}

func ExampleError() {
	_, err := ps.Init(&ps.Config{Rank: 3, WorldSize: 2, Flags: ps.NoEnvironment})
	var failure *ps.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Op, failure.Code, errors.Is(err, ps.ErrArgument))
	}
	// Output: Init PS_ERR_ARGUMENT true
}

func ExampleAllReduceAsync() {
	context, err := ps.Init(alone)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer context.Close()
	world, err := context.World()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer world.Close()
	buffer, err := ps.Alloc[int](3) // with Go 1.21 and newer any slice will do
	if err != nil {
		fmt.Println(err)
		return
	}
	defer buffer.Free()
	values := buffer.Slice()
	copy(values, []int{1, 2, 3})
	work, err := ps.AllReduceAsync(world, values, values, ps.Max)
	if err != nil {
		fmt.Println(err)
		return
	}
	// something else, meanwhile
	fmt.Println(work.Wait(), values)
	// Output: <nil> [1 2 3]
}

func ExampleNewLayout() {
	layout, err := ps.NewLayout("vllm:tp=2,pp=*", 4) // data: no context, no other rank
	if err != nil {
		fmt.Println(err)
		return
	}
	tp, err := layout.Groups("tp")
	fmt.Println(layout, tp, err)

	_, err = ps.NewLayout("megatron:tp=3", 8)
	fmt.Println(errors.Is(err, ps.ErrArgument))
	// Output:
	// vllm:tp=2,pp=2 [[0 1] [2 3]] <nil>
	// true
}
