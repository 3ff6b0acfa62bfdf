package parallelstate

import (
	"context"
	"sync"
	"time"
	"unsafe"
)

// Work is an asynchronous operation. Wait for it, or forget it: it goes on, and its memory is kept until it is complete.
// All methods may be called from several goroutines; they take turns.
type Work struct {
	op     string
	turn   chan struct{}  // held by who uses what follows
	handle unsafe.Pointer // nil: complete
	held   *hold
	err    error
}

// works are those that are not known to be complete. Here they and their memory stay reachable when a program forgets
// them; later calls of the package look for the complete ones.
var works = struct {
	sync.Mutex
	live  map[*Work]struct{}
	sweep int // the number of works at which to look
}{live: map[*Work]struct{}{}, sweep: minSweep}

const minSweep = 2

func newWork(op string, pointer unsafe.Pointer, held *hold) *Work {
	work := &Work{op: op, turn: make(chan struct{}, 1), handle: pointer, held: held}
	works.Lock()
	works.live[work] = struct{}{}
	full := len(works.live) >= works.sweep
	works.Unlock()
	if full {
		sweep()
	}
	return work
}

// sweep lets go of what complete works hold.
func sweep() {
	works.Lock()
	candidates := make([]*Work, 0, len(works.live))
	for work := range works.live {
		candidates = append(candidates, work)
	}
	works.Unlock()
	for _, work := range candidates {
		work.poll()
	}
	works.Lock()
	works.sweep = 2 * len(works.live) // so that looking costs each work but a constant
	if works.sweep < minSweep {
		works.sweep = minSweep
	}
	works.Unlock()
}

// Wait waits until the data is there, up to the operation's deadline, and returns the operation's error.
func (w *Work) Wait() error {
	w.turn <- struct{}{}
	defer w.pass()
	w.waitFor(-1)
	return w.err
}

// WaitTimeout waits up to timeout. ErrTimeout while Done is still false: only this wait ran out, nothing failed, and the
// text says who is missing.
func (w *Work) WaitTimeout(timeout time.Duration) error {
	if err := checkDuration("Work.WaitTimeout", "timeout", timeout); err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if !w.take(limit.Done()) {
		return &Error{Code: ErrTimeout, Op: "Work.WaitTimeout", Msg: "another goroutine waits for the operation, which goes on"}
	}
	defer w.pass()
	if result := w.waitFor(milliseconds(timeout)); w.handle != nil {
		return result.err("Work.WaitTimeout")
	}
	return w.err
}

// WaitContext waits until the operation is complete, and returns its error, or until ctx is done, and returns ctx's. The
// operation then goes on and still uses its memory; Group.Abort ends it. While it waits, this holds a thread only for
// moments at a time.
func (w *Work) WaitContext(ctx context.Context) error {
	if !w.take(ctx.Done()) {
		return ctx.Err()
	}
	defer w.pass()
	for w.handle != nil {
		if err := ctx.Err(); err != nil && !w.test() {
			return err
		}
		w.waitFor(milliseconds(waitSlice))
	}
	return w.err
}

// Order makes later work on the stream run after the operation. For host memory it is the same as WaitTimeout.
func (w *Work) Order(stream unsafe.Pointer, timeout time.Duration) error {
	const op = "Work.Order"
	if err := checkDuration(op, "timeout", timeout); err != nil {
		return err
	}
	w.turn <- struct{}{}
	defer w.pass()
	if w.handle == nil {
		return w.err
	}
	result := library.workOrder(w.handle, stream, milliseconds(timeout))
	if w.test(); w.handle == nil {
		return w.err
	}
	return result.err(op)
}

// Done reports whether the operation is complete, with success or not. It never blocks; while another goroutine waits,
// it is false.
func (w *Work) Done() bool {
	if !w.tryTake() {
		return false
	}
	defer w.pass()
	return w.test()
}

// Err returns the operation's error, nil while there is none. It never blocks.
func (w *Work) Err() error {
	if !w.tryTake() {
		return nil
	}
	defer w.pass()
	w.test()
	return w.err
}

// Close waits until the library touches no memory of the operation, up to its deadline. It does not return the operation's
// error, which Err and Wait still do.
func (w *Work) Close() error {
	if w != nil {
		w.Wait()
	}
	return nil
}

// take takes the turn, unless another goroutine has it until the channel is closed.
func (w *Work) take(until <-chan struct{}) bool {
	if w.tryTake() {
		return true
	}
	select {
	case w.turn <- struct{}{}:
		return true
	case <-until:
		return false
	}
}

func (w *Work) tryTake() bool {
	select {
	case w.turn <- struct{}{}:
		return true
	default:
		return false
	}
}

func (w *Work) pass() { <-w.turn }

// poll looks whether the operation is complete. Who has the turn will see that too.
func (w *Work) poll() {
	if w.tryTake() {
		w.test()
		w.pass()
	}
}

// test reports whether the operation is complete. The caller has the turn, here and below.
func (w *Work) test() bool {
	if w.handle != nil {
		if result := library.workTest(w.handle); result.code != codeInProgress {
			w.finish(result)
		}
	}
	return w.handle == nil
}

// waitFor waits up to a number of milliseconds, -1 without a limit. While the work is not complete after it, the result is
// that of the wait.
func (w *Work) waitFor(timeoutMs int64) status {
	if w.handle == nil {
		return status{}
	}
	result := library.workWait(w.handle, timeoutMs)
	if result.code != ErrTimeout {
		w.finish(result)
	} else {
		w.test() // the operation's own deadline, or only that of this wait
	}
	return result
}

func (w *Work) finish(result status) {
	if result.code < 0 {
		text := library.workError(w.handle)
		code := result.code
		switch {
		case text == "":
			text = result.text
		case code == ErrState: // its context was closed, which ended it with that text
			code = ErrAborted
		}
		w.err = libraryError(w.op, code, text)
	}
	library.workFree(w.handle)
	w.handle = nil
	w.held.release()
	works.Lock()
	delete(works.live, w)
	works.Unlock()
}
