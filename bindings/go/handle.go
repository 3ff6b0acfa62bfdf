package parallelstate

import (
	"fmt"
	"sync"
	"unsafe"
)

// handle guards an object of the library: calls take it and give it back, and close frees it when none has it. So no call
// ever uses what another goroutine frees.
type handle struct {
	what    string // for messages
	mu      sync.Mutex
	idle    sync.Cond
	pointer unsafe.Pointer
	users   int
	closing bool
	closed  bool
}

func newHandle(what string, pointer unsafe.Pointer) *handle {
	h := &handle{what: what, pointer: pointer}
	h.idle.L = &h.mu
	return h
}

// acquire gives the pointer until release, ErrState once close has begun.
func (h *handle) acquire(op string) (unsafe.Pointer, error) { return h.take(op, false) }

// acquireToEnd is acquire for what ends blocked calls: it also works while close waits for them.
func (h *handle) acquireToEnd(op string) (unsafe.Pointer, error) { return h.take(op, true) }

func (h *handle) take(op string, whileClosing bool) (unsafe.Pointer, error) {
	if h == nil {
		return nil, &Error{Code: ErrState, Op: op, Msg: "this value was not made by the package's functions"}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pointer == nil || h.closing && !whileClosing {
		return nil, &Error{Code: ErrState, Op: op, Msg: fmt.Sprintf("%s is closed", h.what)}
	}
	h.users++
	return h.pointer, nil
}

func (h *handle) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users--
	if h.users == 0 {
		h.idle.Broadcast()
	}
}

// close waits for the users and calls free, once; a second caller waits until it is done and gets nil.
func (h *handle) close(free func(unsafe.Pointer) error) error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	if h.closing {
		for !h.closed {
			h.idle.Wait()
		}
		h.mu.Unlock()
		return nil
	}
	h.closing = true
	for h.users > 0 {
		h.idle.Wait()
	}
	pointer := h.pointer
	h.pointer = nil
	h.mu.Unlock()
	err := free(pointer)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.idle.Broadcast()
	return err
}
