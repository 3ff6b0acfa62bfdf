package parallelstate

import (
	"fmt"
	"math"
	"time"
	"unsafe"
)

// Config is what Init takes. What is zero comes from the environment (PS_*, then psctl run, torchrun, mpirun, srun), then
// from the default. A Config with Rank and WorldSize belongs to a program that launches its ranks itself.
type Config struct {
	Flags           Flags // Deterministic, WarmUp (the world's group), HostOnly, AllowUnauthenticated, NoEnvironment, ShareDevice
	Rank            int   // 0 .. WorldSize - 1
	WorldSize       int   // 0: Rank and WorldSize from the environment; without one, rank 0 of 1
	LocalRank       int   // the rank's place on its host
	LocalSize       int   // 0: LocalRank and LocalSize from the environment, else measured
	Replica         int   // with ReplicaCount > 0, Rank and WorldSize are this replica's and the world spans all replicas
	ReplicaCount    int
	Rendezvous      string                            // tcp://host:port, unix:///path, file:///dir, mem://name, fd://N, or a store's address
	Job             string                            // a name that keeps strangers and stale ranks apart; default "default"
	Secret          string                            // proven by every connection; never sent, logged or described
	Network         string                            // interface name or address to use; default the route to the rendezvous
	Device          string                            // "cuda:1", "cpu"; default cuda:local_rank where present
	Backend         string                            // "auto", "shm" (within a host), "gloo" (anywhere); the same on all ranks
	Dispatch        string                            // rules that override the dispatch table; must agree on all ranks
	Plugins         string                            // reserved: ErrUnsupported
	NCCLLibrary     string                            // path of the NCCL library
	Log             func(level LogLevel, text string) // nil: stderr; called from any thread, must not call this package
	Timeout         time.Duration                     // deadline of operations; default 30 minutes
	InitTimeout     time.Duration                     // deadline of Init; default 5 minutes
	MaxObjectBytes  uint64                            // reserved: cap for a received object; default 1 GiB
	HostBufferBytes uint64                            // shared memory per rank and communicator, at most; default 4 MiB
	LogLevel        LogLevel                          // default PS_LOG_LEVEL, else errors only
	CheckMode       CheckMode                         // device memory only; default CheckLate
}

func (c *Config) check(op string) error {
	names := []string{"Rank", "WorldSize", "LocalRank", "LocalSize", "Replica", "ReplicaCount"}
	if err := checkNumbers(op, names, c.Rank, c.WorldSize, c.LocalRank, c.LocalSize, c.Replica, c.ReplicaCount); err != nil {
		return err
	}
	if err := checkDuration(op, "Timeout", c.Timeout); err != nil {
		return err
	}
	if err := checkDuration(op, "InitTimeout", c.InitTimeout); err != nil {
		return err
	}
	return checkText(op, "Rendezvous", c.Rendezvous, "Job", c.Job, "Secret", c.Secret, "Network", c.Network, "Device",
		c.Device, "Backend", c.Backend, "Dispatch", c.Dispatch, "Plugins", c.Plugins, "NCCLLibrary", c.NCCLLibrary)
}

// Context is one rank of one world. Close it.
type Context struct {
	handle *handle
	info   WorldInfo // what does not change
	log    uintptr
}

// WorldInfo describes the world from this rank's place.
type WorldInfo struct {
	Rank             int // the global rank
	WorldSize        int
	LocalRank        int
	LocalSize        int
	Node             int // hosts are numbered by their first rank
	NodeCount        int
	Replica          int
	ReplicaCount     int    // 0: the world is not made of replicas
	DeviceIndex      int    // -1: none
	Failure          Code   // 0, or ErrAborted: this rank called Abort
	FailedGlobalRank int    // NoRank: nobody
	FailureText      string // "" while there is none
	LayoutSpec       string // "": no model-parallel state
	WorkerSuffix     string // "" without model-parallel state
}

// RankInfo describes one rank's host, process and state.
type RankInfo struct {
	State       RankState
	Node        int
	LocalRank   int
	PID         int
	DeviceIndex int // -1: none
	Hostname    string
	Address     string        // of the process, as its peers see it
	Silent      time.Duration // since its last heartbeat; 0 where ranks are goroutines or threads of this process
}

// Init joins the world and returns this rank's context, on all ranks once all have arrived. A nil config takes everything
// from the environment. A process may hold many contexts: ranks that are goroutines of one process each call Init with
// "mem://name", their own rank and the same world size.
func Init(config *Config) (*Context, error) {
	const op = "Init"
	if err := ready(op); err != nil {
		return nil, err
	}
	if config == nil {
		config = &Config{}
	}
	if err := config.check(op); err != nil {
		return nil, err
	}
	sweep()
	log := registerLog(config.Log)
	made := library.initialize(config, log)
	if err := made.err(op); err != nil {
		unregisterLog(log)
		return nil, err
	}
	context := &Context{handle: newHandle("the context", made.object), log: log}
	info, err := context.Info()
	if err != nil {
		context.Close()
		return nil, err
	}
	context.info = info
	return context, nil
}

// Rank returns this rank in the world.
func (c *Context) Rank() int { return c.info.Rank }

// WorldSize returns the number of ranks.
func (c *Context) WorldSize() int { return c.info.WorldSize }

// Info returns everything about the world, now.
func (c *Context) Info() (WorldInfo, error) {
	pointer, err := c.handle.acquire("Context.Info")
	if err != nil {
		return WorldInfo{}, err
	}
	defer c.handle.release()
	info, result := library.worldInfo(pointer)
	return info, result.err("Context.Info")
}

// RankInfo returns what is known of a rank, by its world rank.
func (c *Context) RankInfo(globalRank int) (RankInfo, error) {
	const op = "Context.RankInfo"
	if err := checkNumbers(op, []string{"globalRank"}, globalRank); err != nil {
		return RankInfo{}, err
	}
	pointer, err := c.handle.acquire(op)
	if err != nil {
		return RankInfo{}, err
	}
	defer c.handle.release()
	info, result := library.rankInfo(pointer, int32(globalRank))
	return info, result.err(op)
}

// Describe returns JSON: the configuration in force (no secret), ranks, hosts, groups, communicators and their memory,
// times, and the last operation of every rank on this host. It works on a failed context and beside blocked calls.
func (c *Context) Describe() (string, error) {
	pointer, err := c.handle.acquire("Context.Describe")
	if err != nil {
		return "", err
	}
	defer c.handle.release()
	json, result := library.describe(pointer)
	return json, result.err("Context.Describe")
}

// Store returns a reference to the world's store. Close it.
func (c *Context) Store() (*Store, error) {
	pointer, err := c.handle.acquire("Context.Store")
	if err != nil {
		return nil, err
	}
	defer c.handle.release()
	made := library.storeOf(pointer)
	if err := made.err("Context.Store"); err != nil {
		return nil, err
	}
	return &Store{newHandle("the store", made.object)}, nil
}

// World returns a reference to the group of all ranks. Close it.
func (c *Context) World() (*Group, error) { return c.group("Context.World", "world") }

// Group returns a reference to a group of the context by its name; the text of ErrNotFound lists what exists. Close it.
func (c *Context) Group(name string) (*Group, error) { return c.group("Context.Group", name) }

func (c *Context) group(op, name string) (*Group, error) {
	if err := checkText(op, "name", name); err != nil {
		return nil, err
	}
	pointer, err := c.handle.acquire(op)
	if err != nil {
		return nil, err
	}
	defer c.handle.release()
	return groupFrom(op, library.groupOf(pointer, name))
}

// NewGroup makes a group of the listed world ranks, in that order. Only they call it, all with the same list and options;
// nil options are the defaults. It returns when all have called it. Close the group.
func (c *Context) NewGroup(globalRanks []int, options *GroupOptions) (*Group, error) {
	const op = "Context.NewGroup"
	if options == nil {
		options = &GroupOptions{}
	}
	if err := options.check(op); err != nil {
		return nil, err
	}
	ranks := make([]int32, len(globalRanks))
	for i, rank := range globalRanks {
		if rank < math.MinInt32 || rank > math.MaxInt32 {
			return nil, refuse(op, "rank %d is none", rank)
		}
		ranks[i] = int32(rank)
	}
	pointer, err := c.handle.acquire(op)
	if err != nil {
		return nil, err
	}
	c.handle.release() // Close may end it while it is blocked; see there
	sweep()
	return groupFrom(op, library.newGroup(pointer, ranks, options))
}

// Abort fails every group of the context that exists, on all members, with ErrAborted and the reason. Idempotent; it ends blocked
// calls of other goroutines.
func (c *Context) Abort(reason string) error {
	const op = "Context.Abort"
	if err := checkText(op, "reason", reason); err != nil {
		return err
	}
	pointer, err := c.handle.acquireToEnd(op)
	if err != nil {
		return err
	}
	defer c.handle.release()
	return library.abort(pointer, reason).err(op)
}

// Close leaves the world: what was sent is still delivered, unfinished operations of this rank end with ErrAborted, also
// those that block other goroutines, and peers that wait for this rank are told that it left. Peers need not call
// anything; it waits some seconds at most on the rank that hosts the store, and for each communicator whose peers are in
// this rank's memory or, on another host, do not take what was sent to them. Groups, stores and works of the context can
// be closed before or after. A second Close does nothing.
func (c *Context) Close() error {
	if c == nil {
		return nil
	}
	return c.handle.close(func(pointer unsafe.Pointer) error {
		sweep()
		err := library.finalize(pointer).err("Context.Close")
		sweep()
		unregisterLog(c.log)
		return err
	})
}

// Err returns why the context failed, nil while it has not.
func (i WorldInfo) Err() error { return failure(i.Failure, i.FailureText) }

func failure(code Code, text string) error {
	if code >= 0 {
		return nil
	}
	return libraryError("failure", code, text)
}

// String returns rank and size.
func (c *Context) String() string {
	return fmt.Sprintf("rank %d of %d", c.info.Rank, c.info.WorldSize)
}
