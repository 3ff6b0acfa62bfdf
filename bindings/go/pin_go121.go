//go:build go1.21

package parallelstate

import (
	"runtime"
	"unsafe"
)

// PinsGoMemory says whether asynchronous calls take any slice (Go 1.21 and newer), or only the memory of Alloc.
const PinsGoMemory = true

type pins struct{ pinner runtime.Pinner }

// pin always succeeds. Memory that is not Go's, such as a mapped file, needs no pin; Go 1.21 panics at it.
func (p *pins) pin(pointer unsafe.Pointer) (always bool) {
	defer func() {
		_ = recover()
		always = true
	}()
	p.pinner.Pin(pointer)
	return true
}

func (p *pins) unpin() { p.pinner.Unpin() }
