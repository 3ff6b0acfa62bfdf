// Package parallelstate is ParallelState for Go: a world of ranks, named parallel groups, and coordinated
// communication through them.
//
// A program joins its world with [Init], gets groups from the [Context], and calls operations on them. Every rank makes
// the same calls in the same order:
//
//	context, err := parallelstate.Init(nil) // rank and world size from psctl run, torchrun, mpirun, srun; else alone
//	world, err := context.World()
//	err = parallelstate.AllReduce(world, values, values, parallelstate.Sum)
//
// # Memory
//
// Operations are generic functions over slices of a [Number]; the data type follows from the type parameter. A slice is
// used in place. For zero elements, and where a rank has no buffer (recv away from the root), a slice may be nil.
// [Pointers] takes raw addresses, which is how memory of a device is passed, with its stream.
//
// [AllocateMemory] gives memory that all members of a group reach, and [Register] lets a group use a slice where it is:
// collectives on the group then work there in one pass. Both need all members, at the end as well.
//
// # Errors
//
// A failing call returns an [*Error] with a [Code] and the library's text. Codes are errors themselves:
//
//	if errors.Is(err, parallelstate.ErrPeerFailed) { ... }
//
// # Goroutines and threads
//
// Everything may be called from any goroutine. A blocking call holds an operating system thread until it returns, like a
// system call does, and no context.Context ends it: [Group.AbortOn] ties a group's life to one, [Context.Abort] and
// [Group.Abort] end blocked calls on all members. Asynchronous calls hold no thread; see [Work.WaitContext]. Several
// goroutines on one group must order their calls alike on all ranks.
//
// # Ends
//
// Close is explicit and there are no finalizers: leaving a world or a group tells the peers, and when that happens is for
// the program to say. Close may be called twice. It waits for the calls of other goroutines on the same handle; on a
// Context it ends them. A [Layout] is data of this process alone, and the garbage collector frees it.
//
// # Layouts
//
// A [Layout] is which ranks form which groups, computed from a spec and a world size, without any context.
// [Context.InitModelParallel] makes the groups of a spec; [Context.Group] then gives "tp", "attn_cp", "moe_ep" and the
// others by name:
//
//	layout, err := parallelstate.NewLayout("sglang:tp=2,pp=2", 4)
//	err = context.InitModelParallel(layout.Spec(), nil)
//	tp, err := context.Group("tp")
//
// # Asynchronous calls
//
// The functions whose names end in Async return a [Work] at once. Until it is complete the library uses the slices, so
// the package keeps them: they are pinned (Go 1.21 and newer), also when the Work is forgotten. Older Go cannot pin
// memory; there an asynchronous call takes only the memory of [Alloc], and refuses any other. A program that uses Alloc
// runs with both.
//
// # Building
//
// The package uses cgo and finds the C library by pkg-config (parallelstate.pc). In a build without cgo it compiles, and
// [Init] returns [ErrUnsupported] with a text that says so.
package parallelstate
