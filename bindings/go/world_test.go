//go:build cgo

package parallelstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var worlds atomic.Int64

// runWorld runs body as the ranks of one world, each in its own goroutine. A rank that fails aborts its context, so that
// no other waits for it.
func runWorld(t *testing.T, size int, body func(c *Context) error) {
	t.Helper()
	name := fmt.Sprintf("mem://go-test-%d-%d", os.Getpid(), worlds.Add(1))
	errs := make([]error, size)
	var all sync.WaitGroup
	for rank := 0; rank < size; rank++ {
		config := Config{Rank: rank, WorldSize: size, Rendezvous: name, Flags: NoEnvironment | HostOnly,
			Timeout: 30 * time.Second, InitTimeout: 30 * time.Second}
		all.Add(1)
		go func() {
			defer all.Done()
			c, err := Init(&config)
			if err == nil {
				if err = body(c); err != nil {
					c.Abort(fmt.Sprintf("rank %d failed: %v", config.Rank, err))
				}
				if closeErr := c.Close(); err == nil {
					err = closeErr
				}
			}
			errs[config.Rank] = err
		}()
	}
	all.Wait()
	for rank, err := range errs {
		if err != nil {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

// inWorld is runWorld with the world's group.
func inWorld(t *testing.T, size int, body func(c *Context, world *Group) error) {
	t.Helper()
	runWorld(t, size, func(c *Context) error {
		world, err := c.World()
		if err != nil {
			return err
		}
		defer world.Close()
		return body(c, world)
	})
}

func expect[T comparable](what string, found, expected T) error {
	if found != expected {
		return fmt.Errorf("%s is %v, not %v", what, found, expected)
	}
	return nil
}

func expectAll[T comparable](what string, found, expected []T) error {
	return expect(what, fmt.Sprint(found), fmt.Sprint(expected))
}

// expectError wants a code and a part of the text.
func expectError(err error, code Code, part string) error {
	if !errors.Is(err, code) || !strings.Contains(err.Error(), part) {
		return fmt.Errorf("got error %v, not %v with %q", err, code, part)
	}
	return nil
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func TestWorldAndGroups(t *testing.T) {
	inWorld(t, 4, func(c *Context, world *Group) error {
		info, err := c.Info()
		if err != nil {
			return err
		}
		rank := c.Rank()
		ranks, err := world.GlobalRanks()
		if err := first(err, expectAll("ranks", ranks, []int{0, 1, 2, 3}), expect("size", info.WorldSize, 4),
			expect("node count", info.NodeCount, 1), expect("device", info.DeviceIndex, -1), info.Err(),
			expect("failed rank", info.FailedGlobalRank, NoRank), expect("next", world.Next(), (rank+1)%4),
			expect("prev", world.Prev(), (rank+3)%4), expect("first", world.IsFirst(), rank == 0),
			expect("last", world.IsLast(), rank == 3), expect("name", world.Name(), "world")); err != nil {
			return err
		}
		self, err := c.RankInfo(rank)
		if err := first(err, expect("pid", self.PID, os.Getpid()), expect("state", self.State, RankAlive)); err != nil {
			return err
		}
		reversed, err := c.NewGroup([]int{3, 2, 1, 0}, &GroupOptions{Name: "reversed", Timeout: 1500 * time.Millisecond})
		if err != nil {
			return err
		}
		defer reversed.Close()
		groupInfo, err := reversed.Info()
		if err := first(err, expect("rank", reversed.Rank(), 3-rank), expect("own", groupInfo.GlobalRank, rank),
			expect("timeout", groupInfo.Timeout, 1500*time.Millisecond), reversed.SetTimeout(20*time.Second)); err != nil {
			return err
		}
		found, err := reversed.FindGlobal(1)
		if err := first(err, expect("rank of 1", found, 2)); err != nil {
			return err
		}
		if _, err := reversed.FindGlobal(9); !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrArgument) {
			return fmt.Errorf("looking for 9: %v", err)
		}
		same, err := reversed.SameHost(0)
		if err := first(err, expectAll("same host", same, []bool{true, true, true, true})); err != nil {
			return err
		}
		color := rank % 2
		if rank == 3 {
			color = NoColor
		}
		part, err := world.Split(color, -rank, &GroupOptions{Name: "half"})
		if err != nil {
			return err
		}
		defer part.Close()
		if rank == 3 {
			return expect("part", part, nil)
		}
		members, err := part.GlobalRanks()
		expected := []int{2, 0}
		if rank == 1 {
			expected = []int{1}
		}
		return first(err, expectAll("members", members, expected))
	})
}

func TestUnknownGroup(t *testing.T) {
	runWorld(t, 1, func(c *Context) error {
		_, err := c.Group("nobody")
		return expectError(err, ErrNotFound, "world")
	})
}

func TestDescriptions(t *testing.T) {
	runWorld(t, 1, func(c *Context) error {
		json, err := c.Describe()
		if err != nil || !strings.HasPrefix(json, "{") {
			return fmt.Errorf("described as %q, %v", json, err)
		}
		return nil
	})
	json, err := LibraryInfo()
	if err != nil || !strings.Contains(json, Version()) {
		t.Errorf("the library says %q, %v", json, err)
	}
}

func TestDeathOfOperations(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		values := make([]int32, 2+c.Rank())
		err := AllReduce(world, values, values, Sum)
		if err := first(expectError(err, ErrMismatch, "rank 0"), expectError(world.Barrier(), ErrMismatch, "rank 1")); err != nil {
			return err
		}
		info, err := world.Info()
		return first(err, expectError(info.Err(), ErrMismatch, "rank"), expect("code", info.Failure, ErrMismatch))
	})
}

func TestRefusals(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		two, three := make([]int, 2), make([]int, 3)
		_, nul := c.NewGroup([]int{0}, &GroupOptions{Name: "a\x00b"})
		_, negative := c.NewGroup([]int{0}, &GroupOptions{Timeout: -1})
		_, large := world.Split(1<<40, 0, nil)
		_, missing := c.RankInfo(77)
		return first(
			expectError(AllReduce(world, two, three, Sum), ErrArgument, "AllReduce: "),
			expectError(AllReduce(world, two, three, Sum), ErrArgument, "recv has 3 elements, but needs 2"),
			expectError(AllGather(world, two, three), ErrArgument, "needs 4"),
			expectError(ReduceScatter(world, three, two, Sum), ErrArgument, "send has 3 elements, but needs 4"),
			expectError(AllToAll(world, three, three), ErrArgument, "not 2 equal blocks"),
			expectError(AllGatherV(world, two, three, []int{2}, nil), ErrArgument, "1 counts"),
			expectError(AllGatherV(world, two, three, []int{2, 2}, nil), ErrArgument, "end at 4"),
			expectError(AllGatherV(world, two, three, []int{2, -2}, nil), ErrArgument, "-2"),
			expectError(AllGatherV(world, two, three, []int{1, 1}, []int{0, -1}), ErrArgument, "-1"),
			expectError(ReduceScatterV(world, three, two, []int{2, 2}, Sum), ErrArgument, "the sum of counts"),
			expectError(AllReduce(world, []Bool{1}, []Bool{1}, Sum), ErrUnsupported, "PS_ERR_UNSUPPORTED"),
			expectError(AllReduce(world, two, two, ReduceOp(99)), ErrArgument, "99"),
			expectError(Broadcast(world, two, two, 5), ErrArgument, "5"),
			expectError(Send(world, two, 1<<40, 0), ErrArgument, "32 bits"),
			expectError(world.Pointers(nil).Send(nil, 3, TypeInt8, 0, 0, nil), ErrArgument, "NULL"),
			expectError(nul, ErrArgument, "NUL byte"),
			expectError(negative, ErrArgument, "-1ns"),
			expectError(large, ErrArgument, "32 bits"),
			expectError(missing, ErrArgument, "77"),
			world.Barrier(), // the group is unharmed
		)
	})
	_, err := Init(&Config{Job: "a\x00b"})
	_, wrong := Init(&Config{Rank: 5, WorldSize: 2, Flags: NoEnvironment})
	if err := first(expectError(err, ErrArgument, "Job"), expectError(wrong, ErrArgument, "Init: ")); err != nil {
		t.Error(err)
	}
}

func TestAbortEndsBlockedCalls(t *testing.T) {
	inWorld(t, 3, func(c *Context, world *Group) error {
		if c.Rank() == 0 {
			ctx, cancel := context.WithCancel(context.Background())
			defer world.AbortOn(ctx)()
			time.AfterFunc(10*time.Millisecond, cancel)
			return expectError(Recv(world, make([]int, 1), 1, 0), ErrAborted, "context canceled")
		}
		return expectError(world.Barrier(), ErrAborted, "rank 0")
	})
}

func TestCloseOfTheContextEndsBlockedCalls(t *testing.T) {
	inWorld(t, 2, func(c *Context, world *Group) error {
		if c.Rank() == 1 {
			return expectError(Recv(world, make([]int, 1), 0, 0), ErrPeerFailed, "rank 0")
		}
		buffer, err := Alloc[int](1)
		if err != nil {
			return err
		}
		work, err := RecvAsync(world, buffer.Slice(), 1, 1)
		if err != nil {
			return err
		}
		blocked, making := make(chan error), make(chan error)
		go func() { blocked <- Recv(world, make([]int, 1), 1, 0) }()
		go func() { _, err := c.NewGroup([]int{0, 1}, nil); making <- err }()
		time.Sleep(20 * time.Millisecond)
		if err := c.Close(); err != nil {
			return err
		}
		if err := expectError(work.Wait(), ErrAborted, "psFinalize"); err != nil {
			return err
		}
		for _, err := range []error{<-blocked, <-making} {
			if errors.Is(err, ErrState) { // its goroutine had not come as far as the library
				continue
			}
			if err := expectError(err, ErrAborted, "psFinalize"); err != nil {
				return err
			}
		}
		_, closed := c.World()
		return first(buffer.Free(), expectError(closed, ErrState, "the context is closed"), c.Close(),
			expectError(world.Barrier(), ErrState, "finalized"), world.Close())
	})
}

// Calls beside Close get their answer or ErrState: nothing is used that was freed.
func TestCloseBesideCalls(t *testing.T) {
	inWorld(t, 1, func(c *Context, world *Group) error {
		store, err := c.Store()
		if err != nil {
			return err
		}
		calls := []func() error{
			func() error { _, err := world.Info(); return err },
			func() error { return world.Barrier() },
			func() error { _, err := world.GlobalRanks(); return err },
			func() error { _, err := c.Info(); return err },
			func() error { _, err := c.Describe(); return err },
			func() error { return c.Abort("at the end") },
			func() error { _, err := store.Add("number", 1); return err },
		}
		ends := make(chan error, len(calls))
		for _, call := range calls {
			call := call
			go func() {
				for {
					if err := call(); errors.Is(err, ErrState) {
						ends <- nil
						return
					} else if err != nil && !errors.Is(err, ErrAborted) && !errors.Is(err, ErrClosed) {
						ends <- err
						return
					}
				}
			}()
		}
		time.Sleep(5 * time.Millisecond)
		errs := []error{store.Close(), world.Close(), c.Close()}
		for range calls {
			errs = append(errs, <-ends)
		}
		return first(errs...)
	})
}

func TestLogFunction(t *testing.T) {
	var mu sync.Mutex
	var lines []string
	c, err := Init(&Config{Rank: 0, WorldSize: 1, Flags: NoEnvironment | HostOnly, LogLevel: LogTrace,
		Log: func(level LogLevel, text string) {
			mu.Lock()
			defer mu.Unlock()
			if level < LogError || level > LogTrace || strings.Contains(text, "\n") {
				t.Errorf("level %d: %q", level, text)
			}
			lines = append(lines, text)
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(lines) == 0 {
		t.Error("nothing was logged")
	}
}
