//go:build !cgo

package parallelstate

// library is missing: without cgo there is no way to the C library. The calls that make handles say so, and nothing else
// can be called without a handle.
var library native

const whyUnavailable = "this program was built without cgo, which the package needs to call libparallelstate.so. " +
	"Build it with CGO_ENABLED=1, a C compiler (Debian: gcc) and pkg-config (Debian: pkgconf) that finds parallelstate.pc"
