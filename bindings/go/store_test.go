//go:build cgo

package parallelstate

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestStore(t *testing.T) {
	runWorld(t, 3, func(c *Context) error {
		store, err := c.Store()
		if err != nil {
			return err
		}
		defer store.Close()
		if _, err := store.Add("arrived", 1); err != nil {
			return err
		}
		if c.Rank() != 0 {
			value, err := store.Get("answer")
			return first(err, expect("answer", string(value), "4\x002"))
		}
		if err := store.Set("answer", []byte("4\x002"), 0); err != nil {
			return err
		}
		return checkStore(store)
	})
}

func checkStore(store *Store) error {
	swappedAbsent, err1 := store.CompareAndSet("key", nil, []byte{}, 0)
	swappedAgain, err2 := store.CompareAndSet("key", nil, []byte("x"), 0)
	swappedEmpty, err3 := store.CompareAndSet("key", []byte{}, []byte("full"), 0)
	value, err4 := store.GetTimeout("key", 0)
	existed, err5 := store.Delete("key")
	existedAgain, err6 := store.Delete("key")
	_, absent := store.GetTimeout("key", time.Millisecond)
	sum, err7 := store.Add("number", -5)
	text, err8 := store.Get("number")
	_, nul := store.Get("a\x00b")
	_, empty := store.Get("")
	if err := first(err1, err2, err3, err4, err5, err6, err7, err8, expect("swapped", swappedAbsent, true),
		expect("swapped", swappedAgain, false), expect("swapped", swappedEmpty, true), expect("value", string(value), "full"),
		expect("existed", existed, true), expect("existed", existedAgain, false), expectError(absent, ErrTimeout, "key"),
		expect("sum", sum, -5), expect("text", string(text), "-5"), expectError(nul, ErrArgument, "NUL"),
		expectError(empty, ErrArgument, "")); err != nil {
		return err
	}
	if err := store.Set("brief", nil, time.Millisecond); err != nil {
		return err
	}
	for { // until it expires
		if _, err := store.GetTimeout("brief", 0); err != nil {
			return expectError(err, ErrTimeout, "brief")
		}
	}
}

func TestServedStore(t *testing.T) {
	server, err := OpenStore("tcp://127.0.0.1:0", &StoreOptions{Flags: Serve, Secret: "s", Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	address, err := server.Address()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(address, &StoreOptions{Secret: "wrong"}); !errors.Is(err, ErrDenied) {
		t.Errorf("a wrong secret: %v", err)
	}
	client, err := OpenStore(address, &StoreOptions{Secret: "s", Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := client.GetContext(ctx, "never"); err != context.Canceled {
		t.Error(err)
	}
	waited := make(chan error, 1)
	go func() { _, err := client.Get("never"); waited <- err }()
	time.Sleep(10 * time.Millisecond)
	for range []int{1, 2} {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-waited; !errors.Is(err, ErrClosed) && !errors.Is(err, ErrPeerFailed) {
		t.Errorf("the wait ended with %v", err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
	if _, err := client.Get("a"); !errors.Is(err, ErrState) {
		t.Error(err)
	}
}
