package parallelstate

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// alloc gives memory that asynchronous calls take with every version of Go.
func alloc[T Number](t *testing.T, n int) *Buffer[T] {
	t.Helper()
	buffer, err := Alloc[T](n)
	if err != nil {
		t.Fatal(err)
	}
	return buffer
}

func mustStart(t *testing.T, group *Group, values []int32) *Work {
	t.Helper()
	work, err := AllReduceAsync(group, values, values, Sum)
	if err != nil {
		t.Fatal(err)
	}
	return work
}

func liveWorks() int {
	works.Lock()
	defer works.Unlock()
	return len(works.live)
}

func TestAWorkHoldsItsMemoryUntilItIsComplete(t *testing.T) {
	library := install(t)
	buffer := alloc[int32](t, 4)
	work := mustStart(t, library.group(), buffer.Slice())
	if work.Done() || work.Err() != nil {
		t.Error("it is complete before its time")
	}
	if err := buffer.Free(); !errors.Is(err, ErrState) {
		t.Errorf("memory in use was freed: %v", err)
	}
	library.completeAll(status{})
	if !work.Done() {
		t.Error("it is not complete")
	}
	for range []int{1, 2} {
		if err := work.Wait(); err != nil {
			t.Error(err)
		}
	}
	for range []int{1, 2} {
		if err := buffer.Free(); err != nil {
			t.Error(err)
		}
	}
	if library.freed != 1 || len(library.memories) != 0 || buffer.Slice() != nil {
		t.Errorf("%d works were freed, %d buffers left", library.freed, len(library.memories))
	}
}

func TestAWaitThatRunsOutFailsNothing(t *testing.T) {
	library := install(t)
	work := mustStart(t, library.group(), alloc[int32](t, 4).Slice())
	err := work.WaitTimeout(time.Millisecond)
	if !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "rank 1 is missing") {
		t.Error(err)
	}
	if work.Done() || work.Err() != nil {
		t.Error("the operation ended with the wait")
	}
	library.completeAll(status{})
	if err := work.WaitTimeout(time.Minute); err != nil {
		t.Error(err)
	}
}

func TestAnOperationThatTimedOutIsTheWorksError(t *testing.T) {
	library := install(t)
	work := mustStart(t, library.group(), alloc[int32](t, 4).Slice())
	library.completeAll(status{code: ErrTimeout, text: "all_reduce() #1: rank 1 is missing"})
	for range []int{1, 2} {
		if err := work.WaitTimeout(0); !errors.Is(err, ErrTimeout) || !strings.Contains(err.Error(), "AllReduce: ") {
			t.Error(err)
		}
	}
	if !work.Done() || !errors.Is(work.Err(), ErrTimeout) {
		t.Error("the operation goes on after its deadline")
	}
}

func TestAContextEndsAWaitAndNotTheOperation(t *testing.T) {
	library := install(t)
	work := mustStart(t, library.group(), alloc[int32](t, 4).Slice())
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(time.Millisecond, cancel)
	if err := work.WaitContext(ctx); err != context.Canceled {
		t.Error(err)
	}
	library.completeAll(status{code: ErrAborted, text: "aborted by rank 1"})
	if err := work.WaitContext(ctx); !errors.Is(err, ErrAborted) {
		t.Errorf("a complete work answers a context that is done with %v", err)
	}
}

func TestForgottenWorksKeepTheirMemoryAndAreSwept(t *testing.T) {
	library := install(t)
	group := library.group()
	const count = 100
	freed := make(chan struct{}, 2*count)
	for i := 0; i < count; i++ {
		if PinsGoMemory {
			values := make([]int32, 4)
			runtime.SetFinalizer(&values[0], func(*int32) { freed <- struct{}{} })
			mustStart(t, group, values)
		} else {
			mustStart(t, group, alloc[int32](t, 4).Slice())
		}
	}
	for i := 0; i < 5; i++ {
		runtime.GC()
	}
	if len(freed) != 0 || liveWorks() != count {
		t.Errorf("%d slices were freed while the library uses them, %d works live", len(freed), liveWorks())
	}
	library.completeAll(status{})
	sweep()
	if liveWorks() != 0 || library.freed != count {
		t.Errorf("%d works live on, %d were freed", liveWorks(), library.freed)
	}
	if PinsGoMemory {
		for i := 0; i < count; i++ {
			for done := false; !done; {
				select {
				case <-freed:
					done = true
				case <-time.After(time.Millisecond):
					runtime.GC()
				}
			}
		}
	}
}

func TestLaterCallsLookForCompleteWorks(t *testing.T) {
	library := install(t)
	group := library.group()
	buffer := alloc[int32](t, 4)
	for i := 0; i < 1000; i++ {
		mustStart(t, group, buffer.Slice())
		library.completeAll(status{})
	}
	if live := liveWorks(); live > minSweep {
		t.Errorf("%d complete works are kept", live)
	}
}

func TestMemoryOfGoNeedsPins(t *testing.T) {
	library := install(t)
	work, err := AllReduceAsync(library.group(), []int32{1}, []int32{1}, Sum)
	switch {
	case PinsGoMemory && err != nil:
		t.Error(err)
	case PinsGoMemory:
		library.completeAll(status{})
		work.Close()
	case !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "parallelstate.Alloc") || work != nil:
		t.Errorf("got %v", err)
	}
}

func TestRegionsAreFoundByAnyAddressInThem(t *testing.T) {
	library := install(t)
	group := library.group()
	var buffers []*Buffer[int32]
	for i := 0; i < 20; i++ {
		buffers = append(buffers, alloc[int32](t, 8))
	}
	for i, buffer := range buffers {
		if i%2 == 0 {
			mustStart(t, group, buffer.Slice()[7:])
		}
	}
	for i, buffer := range buffers {
		if err := buffer.Free(); (err != nil) != (i%2 == 0) {
			t.Errorf("freeing buffer %d: %v", i, err)
		}
	}
	library.completeAll(status{})
	for _, buffer := range buffers {
		if err := buffer.Free(); err != nil {
			t.Error(err)
		}
	}
	if len(regions.list) != 0 {
		t.Errorf("%d regions are left", len(regions.list))
	}
}

func TestCloseWaitsForCallsAndAbortEndsThem(t *testing.T) {
	library := install(t)
	group := library.group()
	called, closed := make(chan error, 1), make(chan error, 1)
	go func() { called <- group.Barrier() }()
	<-library.entered
	go func() { closed <- group.Close() }()
	for { // until Close has begun
		if err := group.Pointers(nil).Send(nil, -1, TypeInt8, 0, 0, nil); !errors.Is(err, ErrArgument) {
			t.Fatal(err)
		}
		group.handle.mu.Lock()
		closing := group.handle.closing
		group.handle.mu.Unlock()
		if closing {
			break
		}
		runtime.Gosched()
	}
	if err := group.SetTimeout(0); !errors.Is(err, ErrState) {
		t.Errorf("a closing group takes a call: %v", err)
	}
	if library.groups != 0 {
		t.Error("the group was freed beside a call")
	}
	if err := group.Abort("enough"); err != nil {
		t.Error(err)
	}
	if err := <-called; err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := group.Close(); err != nil || library.groups != 1 {
		t.Errorf("closed again: %v, freed %d times", err, library.groups)
	}
	if err := group.Abort("late"); !errors.Is(err, ErrState) {
		t.Error(err)
	}
}

func TestAbortOn(t *testing.T) {
	library := install(t)
	group := library.group()
	ctx, cancel := context.WithCancel(context.Background())
	stop := group.AbortOn(ctx)
	stop()
	stop()
	cancel()
	if len(library.aborted) != 0 {
		t.Error("it was aborted after the end of the tie")
	}
	stop = group.AbortOn(ctx)
	if err := group.Barrier(); err != nil { // ends by the abort
		t.Error(err)
	}
	stop()
	if len(library.aborted) != 1 || library.aborted[0] != context.Canceled.Error() {
		t.Errorf("aborted with %q", library.aborted)
	}
}

func TestAPanicOfALogFunctionIsSwallowed(t *testing.T) {
	var lines []string
	number := registerLog(func(level LogLevel, text string) {
		lines = append(lines, text)
		panic("in a callback")
	})
	deliverLog(number, LogInfo, "first")
	unregisterLog(number)
	deliverLog(number, LogInfo, "second")
	if len(lines) != 1 || registerLog(nil) != 0 {
		t.Errorf("delivered %q", lines)
	}
}
