package table

import (
	"fmt"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

// testCase is a row for one rank, with its memory. Counts say how this rank's buffers are cut; they are empty where it has
// no buffer.
type testCase[T ps.Number] struct {
	group      *ps.Group
	part       Part
	op         ps.ReduceOp
	sendCounts []int
	recvCounts []int
	input      []T
	output     []T
}

func newCase[T ps.Number](group *ps.Group, part Part) (*testCase[T], error) {
	c := &testCase[T]{group: group, part: part}
	var err error
	if c.op, err = reduction[T](group, part.Reduction); err != nil {
		return nil, err
	}
	c.cut()
	if part.HasInput {
		if c.input, err = blocks[T](part.Input, c.sendCounts); err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
	}
	if part.HasOutput {
		if c.output, err = blocks[T](part.Output, c.recvCounts); err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
	}
	return c, nil
}

// cut finds out how the operation cuts this rank's buffers.
func (c *testCase[T]) cut() {
	rank, size := c.group.Rank(), c.group.Size()
	counts := c.part.Counts
	atRoot := rank == c.part.Root
	one := func() []int { return repeated(counts[0], 1) }
	each := func() []int { return repeated(counts[0], size) }
	own := func() []int { return counts[rank : rank+1] }
	switch c.part.Operation {
	case "all_reduce", "send_recv":
		c.sendCounts, c.recvCounts = one(), one()
	case "reduce":
		c.sendCounts = one()
		if atRoot {
			c.recvCounts = one()
		}
	case "broadcast":
		c.recvCounts = one()
		if atRoot {
			c.sendCounts = one()
		}
	case "all_gather":
		c.sendCounts, c.recvCounts = one(), each()
	case "gather":
		c.sendCounts = one()
		if atRoot {
			c.recvCounts = each()
		}
	case "scatter":
		c.recvCounts = one()
		if atRoot {
			c.sendCounts = each()
		}
	case "reduce_scatter":
		c.sendCounts, c.recvCounts = each(), one()
	case "all_to_all":
		c.sendCounts, c.recvCounts = each(), each()
	case "all_gather_v":
		c.sendCounts, c.recvCounts = own(), counts
	case "gather_v":
		c.sendCounts = own()
		if atRoot {
			c.recvCounts = counts
		}
	case "scatter_v":
		c.recvCounts = own()
		if atRoot {
			c.sendCounts = counts
		}
	case "reduce_scatter_v":
		c.sendCounts, c.recvCounts = counts, own()
	case "all_to_all_v":
		c.sendCounts = counts
		for _, from := range c.part.AllCounts {
			c.recvCounts = append(c.recvCounts, from[rank])
		}
	}
}

const sendRecvTag = 5

// call is the blocking form.
func (c *testCase[T]) call(send, recv []T) error {
	root := c.part.Root
	switch c.part.Operation {
	case "all_reduce":
		return ps.AllReduce(c.group, send, recv, c.op)
	case "reduce":
		return ps.Reduce(c.group, send, recv, c.op, root)
	case "broadcast":
		return ps.Broadcast(c.group, send, recv, root)
	case "all_gather":
		return ps.AllGather(c.group, send, recv)
	case "gather":
		return ps.Gather(c.group, send, recv, root)
	case "scatter":
		return ps.Scatter(c.group, send, recv, root)
	case "reduce_scatter":
		return ps.ReduceScatter(c.group, send, recv, c.op)
	case "all_to_all":
		return ps.AllToAll(c.group, send, recv)
	case "all_gather_v":
		return ps.AllGatherV(c.group, send, recv, c.recvCounts, nil)
	case "gather_v":
		return ps.GatherV(c.group, send, recv, c.recvCounts, nil, root)
	case "scatter_v":
		return ps.ScatterV(c.group, send, recv, c.sendCounts, nil, root)
	case "reduce_scatter_v":
		return ps.ReduceScatterV(c.group, send, recv, c.sendCounts, c.op)
	case "all_to_all_v":
		return ps.AllToAllV(c.group, send, c.sendCounts, nil, recv, c.recvCounts, nil)
	case "send_recv":
		return ps.SendRecv(c.group, send, ps.Next, recv, ps.Prev, sendRecvTag)
	case "barrier":
		return c.group.Barrier()
	}
	return fmt.Errorf("unknown operation %q", c.part.Operation)
}

// start is the asynchronous form.
func (c *testCase[T]) start(send, recv []T) (*ps.Work, error) {
	root := c.part.Root
	switch c.part.Operation {
	case "all_reduce":
		return ps.AllReduceAsync(c.group, send, recv, c.op)
	case "reduce":
		return ps.ReduceAsync(c.group, send, recv, c.op, root)
	case "broadcast":
		return ps.BroadcastAsync(c.group, send, recv, root)
	case "all_gather":
		return ps.AllGatherAsync(c.group, send, recv)
	case "gather":
		return ps.GatherAsync(c.group, send, recv, root)
	case "scatter":
		return ps.ScatterAsync(c.group, send, recv, root)
	case "reduce_scatter":
		return ps.ReduceScatterAsync(c.group, send, recv, c.op)
	case "all_to_all":
		return ps.AllToAllAsync(c.group, send, recv)
	case "all_gather_v":
		return ps.AllGatherVAsync(c.group, send, recv, c.recvCounts, nil)
	case "gather_v":
		return ps.GatherVAsync(c.group, send, recv, c.recvCounts, nil, root)
	case "scatter_v":
		return ps.ScatterVAsync(c.group, send, recv, c.sendCounts, nil, root)
	case "reduce_scatter_v":
		return ps.ReduceScatterVAsync(c.group, send, recv, c.sendCounts, c.op)
	case "all_to_all_v":
		return ps.AllToAllVAsync(c.group, send, c.sendCounts, nil, recv, c.recvCounts, nil)
	case "send_recv":
		return ps.SendRecvAsync(c.group, send, ps.Next, recv, ps.Prev, sendRecvTag)
	case "barrier":
		return c.group.BarrierAsync()
	}
	return nil, fmt.Errorf("unknown operation %q", c.part.Operation)
}
