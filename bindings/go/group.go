package parallelstate

import (
	"context"
	"fmt"
	"time"
	"unsafe"
)

// GroupOptions is what NewGroup and Split take. Zero means default.
type GroupOptions struct {
	Flags           Flags         // Deterministic, OwnCommunicator, WarmUp, HostOnly
	Name            string        // for messages and matching, at most 63 bytes
	Backend         string        // as Config.Backend; default the context's
	BackendOptions  string        // "key=value,..."; unknown keys are refused
	Timeout         time.Duration // deadline of its operations; default the context's
	MaxObjectBytes  uint64        // reserved; default the context's
	HostBufferBytes uint64        // default the context's
}

func (o *GroupOptions) check(op string) error {
	if err := checkDuration(op, "Timeout", o.Timeout); err != nil {
		return err
	}
	return checkText(op, "Name", o.Name, "Backend", o.Backend, "BackendOptions", o.BackendOptions)
}

// GroupInfo describes a group from this rank's place. Fields with Global in their name hold world ranks.
type GroupInfo struct {
	Name             string
	Rank             int
	Size             int
	HostCount        int // 1: all members share a host
	GlobalRank       int // this rank's own
	GlobalFirst      int
	GlobalLast       int
	GlobalNext       int // circular
	GlobalPrev       int
	Flags            Flags
	Failure          Code   // 0, or why the group failed
	FailedGlobalRank int    // NoRank: nobody
	FailureText      string // "" while there is none
	HostBackend      string // "": data cannot be moved between the members; an operation's error says why
	DeviceBackend    string // ""
	Timeout          time.Duration
}

// Err returns why the group failed, nil while it has not.
func (i GroupInfo) Err() error { return failure(i.Failure, i.FailureText) }

// Group is an ordered set of ranks and the order of operations on it. Ranks are ranks in the group. Close it.
type Group struct {
	handle *handle
	info   GroupInfo // what does not change
}

// groupFrom makes a Group of a handle that a call made; nil when the call made none.
func groupFrom(op string, made status) (*Group, error) {
	if err := made.err(op); err != nil || made.object == nil {
		return nil, err
	}
	info, result := library.groupInfo(made.object)
	if err := result.err(op); err != nil {
		library.groupFree(made.object)
		return nil, err
	}
	return &Group{newHandle(fmt.Sprintf("group %q", info.Name), made.object), info}, nil
}

// Name returns the group's name, "" when it has none.
func (g *Group) Name() string { return g.info.Name }

// Rank returns this rank in the group.
func (g *Group) Rank() int { return g.info.Rank }

// Size returns the number of members.
func (g *Group) Size() int { return g.info.Size }

// Next returns the next rank in the ring of the group.
func (g *Group) Next() int { return (g.info.Rank + 1) % g.info.Size }

// Prev returns the previous rank in the ring of the group.
func (g *Group) Prev() int { return (g.info.Rank + g.info.Size - 1) % g.info.Size }

// IsFirst reports whether this is the group's first rank.
func (g *Group) IsFirst() bool { return g.info.Rank == 0 }

// IsLast reports whether this is the group's last rank.
func (g *Group) IsLast() bool { return g.info.Rank == g.info.Size-1 }

// String returns name, rank and size.
func (g *Group) String() string {
	return fmt.Sprintf("rank %d of %d in group %q", g.info.Rank, g.info.Size, g.info.Name)
}

// use calls do with the handle, which nobody frees meanwhile.
func (g *Group) use(op string, do func(group unsafe.Pointer) status) (status, error) {
	pointer, err := g.handle.acquire(op)
	if err != nil {
		return status{}, err
	}
	defer g.handle.release()
	result := do(pointer)
	return result, result.err(op)
}

// Info returns everything about the group, now. It never blocks: this is also the health check.
func (g *Group) Info() (GroupInfo, error) {
	var info GroupInfo
	_, err := g.use("Group.Info", func(group unsafe.Pointer) (result status) {
		info, result = library.groupInfo(group)
		return result
	})
	return info, err
}

// GlobalRanks returns the members' world ranks in group order.
func (g *Group) GlobalRanks() ([]int, error) {
	raw := make([]int32, g.info.Size)
	if _, err := g.use("Group.GlobalRanks", func(group unsafe.Pointer) status {
		return library.globalRanks(group, raw)
	}); err != nil {
		return nil, err
	}
	ranks := make([]int, len(raw))
	for i, rank := range raw {
		ranks[i] = int(rank)
	}
	return ranks, nil
}

// FindGlobal returns the rank in the group of a world rank; ErrNotFound when it is not a member.
func (g *Group) FindGlobal(globalRank int) (int, error) {
	const op = "Group.FindGlobal"
	if err := checkNumbers(op, []string{"globalRank"}, globalRank); err != nil {
		return 0, err
	}
	result, err := g.use(op, func(group unsafe.Pointer) status { return library.findGlobal(group, int32(globalRank)) })
	return int(result.value), err
}

// SameHost returns for each member whether it shares memory with member source.
func (g *Group) SameHost(source int) ([]bool, error) {
	const op = "Group.SameHost"
	if err := checkNumbers(op, []string{"source"}, source); err != nil {
		return nil, err
	}
	raw := make([]int32, g.info.Size)
	if _, err := g.use(op, func(group unsafe.Pointer) status {
		return library.sameHost(group, int32(source), raw)
	}); err != nil {
		return nil, err
	}
	same := make([]bool, len(raw))
	for i, value := range raw {
		same[i] = value != 0
	}
	return same, nil
}

// SetTimeout sets the deadline of operations that this rank starts later; 0: the context's.
func (g *Group) SetTimeout(timeout time.Duration) error {
	const op = "Group.SetTimeout"
	if err := checkDuration(op, "timeout", timeout); err != nil {
		return err
	}
	ms := milliseconds(timeout)
	if ms == 0 {
		ms = -1
	}
	_, err := g.use(op, func(group unsafe.Pointer) status { return library.setTimeout(group, ms) })
	return err
}

// Split makes a group of the members with equal color, ordered by (key, rank). All members call it; nil options are the
// defaults. With NoColor this rank is part of none, and both results are nil. Close the part.
func (g *Group) Split(color, key int, options *GroupOptions) (*Group, error) {
	const op = "Group.Split"
	if options == nil {
		options = &GroupOptions{}
	}
	if err := options.check(op); err != nil {
		return nil, err
	}
	if err := checkNumbers(op, []string{"color", "key"}, color, key); err != nil {
		return nil, err
	}
	sweep()
	made, err := g.use(op, func(group unsafe.Pointer) status {
		return library.splitGroup(group, int32(color), int32(key), options)
	})
	if err != nil {
		return nil, err
	}
	return groupFrom(op, made)
}

// NewReduceOp makes a reduction that multiplies this rank's input by scalar first. kind is PremulSum, dtype a float type;
// scalar is used as a float32, for TypeFloat64 as it is. It belongs to the group and is freed with it, or by FreeReduceOp.
func (g *Group) NewReduceOp(kind ReduceOp, dtype DataType, scalar float64) (ReduceOp, error) {
	made, err := g.use("Group.NewReduceOp", func(group unsafe.Pointer) status {
		return library.opCreate(group, kind, dtype, scalar)
	})
	return ReduceOp(made.value), err
}

// NewPremulSum is Group.NewReduceOp for operations on slices of T: the sum of every rank's input times its scalar.
func NewPremulSum[T Number](group *Group, scalar float64) (ReduceOp, error) {
	return group.NewReduceOp(PremulSum, DataTypeOf[T](), scalar)
}

// FreeReduceOp frees what NewReduceOp or NewPremulSum made. Operations in flight keep it.
func (g *Group) FreeReduceOp(op ReduceOp) error {
	_, err := g.use("Group.FreeReduceOp", func(group unsafe.Pointer) status { return library.opFree(group, op) })
	return err
}

// Abort ends blocked calls here and on every member with ErrAborted, naming this rank and the reason. Idempotent.
func (g *Group) Abort(reason string) error {
	const op = "Group.Abort"
	if err := checkText(op, "reason", reason); err != nil {
		return err
	}
	pointer, err := g.handle.acquireToEnd(op)
	if err != nil {
		return err
	}
	defer g.handle.release()
	return library.groupAbort(pointer, reason).err(op)
}

// AbortOn aborts the group when ctx is done, with ctx's error as the reason: so blocked calls end, on all members. The
// returned function ends the tie; after it returned, ctx aborts nothing any more.
func (g *Group) AbortOn(ctx context.Context) (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-ctx.Done():
			g.Abort(ctx.Err().Error()) // its only error is that the group is closed
		case <-stopping:
		}
	}()
	first := make(chan struct{}, 1)
	return func() {
		select {
		case first <- struct{}{}:
			close(stopping)
		default:
		}
		<-stopped
	}
}

// Close frees the group. It waits for this rank's unfinished operations and for the calls of other goroutines on the
// group, which Abort ends, and between hosts some seconds for peers that do not take what was sent to them; peers need not
// call anything. A second Close does nothing.
func (g *Group) Close() error {
	if g == nil {
		return nil
	}
	return g.handle.close(func(pointer unsafe.Pointer) error {
		regions.removeOf(pointer)
		err := library.groupFree(pointer).err("Group.Close")
		sweep()
		return err
	})
}
