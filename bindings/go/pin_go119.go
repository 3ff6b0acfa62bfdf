//go:build !go1.21

package parallelstate

import "unsafe"

// PinsGoMemory says whether asynchronous calls take any slice (Go 1.21 and newer), or only the memory of Alloc.
const PinsGoMemory = false

type pins struct{}

func (*pins) pin(unsafe.Pointer) bool { return false }

func (*pins) unpin() {}
