package parallelstate

import (
	"context"
	"errors"
	"time"
	"unsafe"
)

// A wait that a context.Context can end is made of waits of this length.
const waitSlice = 20 * time.Millisecond

// StoreOptions is what OpenStore takes. Zero means default.
type StoreOptions struct {
	Flags         Flags         // Serve, AllowUnauthenticated
	Secret        string        // default PS_SECRET, PS_SECRET_FILE, else none
	Network       string        // interface name or address to bind or use
	Timeout       time.Duration // the store's deadline; default 5 minutes
	MaxValueBytes uint64        // default 64 MiB
}

// Store is a key-value store. Keys are UTF-8, 1 to 1024 bytes. All methods may be called from several goroutines at once.
type Store struct {
	handle *handle
}

// OpenStore opens a store without a world: with Serve this process hosts it, else it is a client of the one at url. Nil
// options are the defaults. Close it.
func OpenStore(url string, options *StoreOptions) (*Store, error) {
	const op = "OpenStore"
	if err := ready(op); err != nil {
		return nil, err
	}
	if options == nil {
		options = &StoreOptions{}
	}
	if err := checkText(op, "url", url, "Secret", options.Secret, "Network", options.Network); err != nil {
		return nil, err
	}
	if err := checkDuration(op, "Timeout", options.Timeout); err != nil {
		return nil, err
	}
	made := library.storeOpen(url, options)
	if err := made.err(op); err != nil {
		return nil, err
	}
	return &Store{newHandle("the store", made.object)}, nil
}

// use calls do with the handle, which nobody frees meanwhile.
func (s *Store) use(op, key string, do func(store unsafe.Pointer) status) (status, error) {
	if err := checkText(op, "key", key); err != nil {
		return status{}, err
	}
	pointer, err := s.handle.acquire(op)
	if err != nil {
		return status{}, err
	}
	defer s.handle.release()
	result := do(pointer)
	return result, result.err(op)
}

// Address returns what others pass to OpenStore or as Config.Rendezvous, with the port really bound.
func (s *Store) Address() (string, error) {
	var address string
	_, err := s.use("Store.Address", "", func(store unsafe.Pointer) (result status) {
		address, result = library.storeAddress(store)
		return result
	})
	return address, err
}

// Set sets the key. After expire it is absent; 0 is never.
func (s *Store) Set(key string, value []byte, expire time.Duration) error {
	if err := checkDuration("Store.Set", "expire", expire); err != nil {
		return err
	}
	_, err := s.use("Store.Set", key, func(store unsafe.Pointer) status {
		return library.storeSet(store, key, value, milliseconds(expire))
	})
	return err
}

// Get waits until the key exists, up to the store's deadline, and returns its value.
func (s *Store) Get(key string) ([]byte, error) { return s.get("Store.Get", key, -1) }

// GetTimeout waits up to timeout; 0 only looks. ErrTimeout: the key does not exist.
func (s *Store) GetTimeout(key string, timeout time.Duration) ([]byte, error) {
	if err := checkDuration("Store.GetTimeout", "timeout", timeout); err != nil {
		return nil, err
	}
	return s.get("Store.GetTimeout", key, milliseconds(timeout))
}

// GetContext waits until the key exists or ctx is done, and then returns ctx's error.
func (s *Store) GetContext(ctx context.Context, key string) ([]byte, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		value, err := s.get("Store.GetContext", key, milliseconds(waitSlice))
		if !errors.Is(err, ErrTimeout) {
			return value, err
		}
	}
}

func (s *Store) get(op, key string, timeoutMs int64) ([]byte, error) {
	var value []byte
	_, err := s.use(op, key, func(store unsafe.Pointer) (result status) {
		value, result = library.storeGet(store, key, timeoutMs)
		return result
	})
	return value, err
}

// Add adds to the number that the key holds as decimal text, atomically, and returns the sum. An absent key counts as 0.
func (s *Store) Add(key string, delta int64) (int64, error) {
	result, err := s.use("Store.Add", key, func(store unsafe.Pointer) status {
		return library.storeAdd(store, key, delta)
	})
	return result.value, err
}

// CompareAndSet sets the key to desired if its value equals expected, and says whether it did. A nil expected means that
// the key is to be absent; an empty one that is not nil, that its value is to be empty.
func (s *Store) CompareAndSet(key string, expected, desired []byte, expire time.Duration) (bool, error) {
	if err := checkDuration("Store.CompareAndSet", "expire", expire); err != nil {
		return false, err
	}
	result, err := s.use("Store.CompareAndSet", key, func(store unsafe.Pointer) status {
		return library.storeCompareAndSet(store, key, expected, desired, milliseconds(expire))
	})
	return result.value == 1, err
}

// Delete deletes the key and says whether it existed.
func (s *Store) Delete(key string) (bool, error) {
	result, err := s.use("Store.Delete", key, func(store unsafe.Pointer) status { return library.storeDelete(store, key) })
	return result.value == 1, err
}

// Close drops this reference; the last one closes the store. It waits for calls of other goroutines on it: what may wait
// long is better ended by GetContext. A second Close does nothing.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	return s.handle.close(func(pointer unsafe.Pointer) error { return library.storeFree(pointer).err("Store.Close") })
}
