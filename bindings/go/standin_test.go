package parallelstate

import (
	"sync"
	"testing"
	"time"
	"unsafe"
)

// standIn is a library whose operations stay in progress until they are completed by a test.
type standIn struct {
	native // what is not overridden is not called

	mu       sync.Mutex
	works    map[unsafe.Pointer]*standInWork
	freed    int // works
	entered  chan struct{}
	leave    chan struct{} // a blocking operation returns when it is closed
	groups   int           // freed
	memories map[unsafe.Pointer][]byte
	aborted  []string
}

type standInWork struct {
	result status
	done   chan struct{}
}

func install(t *testing.T) *standIn {
	sweep()
	regions.list = nil // what tests before left
	s := &standIn{works: map[unsafe.Pointer]*standInWork{}, entered: make(chan struct{}, 16), leave: make(chan struct{}),
		memories: map[unsafe.Pointer][]byte{}}
	previous := library
	library = s
	t.Cleanup(func() {
		s.completeAll(status{})
		sweep()
		library = previous
	})
	return s
}

func (s *standIn) group() *Group {
	return &Group{newHandle(`group "pair"`, unsafe.Pointer(new(int64))), GroupInfo{Name: "pair", Size: 2}}
}

func (s *standIn) resultName(code Code) string {
	if code == -77 {
		return "ERR_LATER"
	}
	return unknownResult
}

func (s *standIn) version() int32 { return headerMajor*10000 + headerMinor*100 }

func (s *standIn) start(_ unsafe.Pointer, _ *operation, asynchronous bool) status {
	if !asynchronous {
		s.entered <- struct{}{}
		<-s.leave
		return status{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	pointer := unsafe.Pointer(new(int64))
	s.works[pointer] = &standInWork{done: make(chan struct{})}
	return status{object: pointer}
}

func (s *standIn) batch(group unsafe.Pointer, _ []Message, _ unsafe.Pointer, asynchronous bool) status {
	return s.start(group, nil, asynchronous)
}

func (s *standIn) completeAll(result status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, work := range s.works {
		select {
		case <-work.done:
		default:
			work.result = result
			close(work.done)
		}
	}
}

func (s *standIn) find(work unsafe.Pointer) *standInWork {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.works[work] == nil {
		panic("a work is used that was freed")
	}
	return s.works[work]
}

func (s *standIn) workTest(work unsafe.Pointer) status { return s.workWait(work, 0) }

func (s *standIn) workWait(work unsafe.Pointer, timeoutMs int64) status {
	found := s.find(work)
	if timeoutMs < 0 {
		<-found.done
		return found.result
	}
	select {
	case <-found.done:
		return found.result
	default:
		if timeoutMs == 0 {
			return status{code: codeInProgress}
		}
	}
	select {
	case <-found.done:
		return found.result
	case <-time.After(time.Duration(timeoutMs) * time.Millisecond):
		return status{code: ErrTimeout, text: "psWorkWait: this wait ran out; rank 1 is missing"}
	}
}

func (s *standIn) workError(work unsafe.Pointer) string { return s.find(work).result.text }

func (s *standIn) workFree(work unsafe.Pointer) status {
	s.find(work)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.works, work)
	s.freed++
	return status{}
}

func (s *standIn) groupFree(unsafe.Pointer) status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups++
	return status{}
}

func (s *standIn) groupAbort(_ unsafe.Pointer, reason string) status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aborted = append(s.aborted, reason)
	close(s.leave)
	return status{}
}

func (s *standIn) allocate(bytes uintptr) unsafe.Pointer {
	s.mu.Lock()
	defer s.mu.Unlock()
	memory := make([]byte, bytes)
	s.memories[unsafe.Pointer(&memory[0])] = memory
	return unsafe.Pointer(&memory[0])
}

func (s *standIn) free(memory unsafe.Pointer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memories[memory] == nil {
		panic("memory is freed that is not allocated")
	}
	delete(s.memories, memory)
}
