package parallelstate

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
)

// The version of the header that this package is made for; shim.h refuses any other.
const (
	headerMajor = 0
	headerMinor = 1
)

// VersionMajor and VersionMinor are the library version that this package is made for.
const (
	VersionMajor = headerMajor
	VersionMinor = headerMinor
)

var (
	versionOnce sync.Once
	versionErr  error
)

// ready says why the library cannot be used: no cgo, or another version than that of the header.
func ready(op string) error {
	if library == nil {
		return &Error{Code: ErrUnsupported, Op: op, Msg: whyUnavailable}
	}
	versionOnce.Do(func() { versionErr = checkVersion(library.version()) })
	if versionErr != nil {
		return &Error{Code: ErrUnsupported, Op: op, Msg: versionErr.Error()}
	}
	return nil
}

func checkVersion(found int32) error {
	major, minor := found/10000, found/100%100
	if major != headerMajor || major == 0 && minor != headerMinor {
		return fmt.Errorf("libparallelstate.so is version %s, this package is made for %d.%d.x; install the two together",
			versionText(found), headerMajor, headerMinor)
	}
	return nil
}

func versionText(version int32) string {
	return fmt.Sprintf("%d.%d.%d", version/10000, version/100%100, version%100)
}

// Version returns the version of the library that is in use, such as "0.1.0"; "" in a build without cgo.
func Version() string {
	if library == nil {
		return ""
	}
	return versionText(library.version())
}

// LibraryInfo returns JSON: version, build, CPU and kernel features, limits, and the backends with the reason where one
// is missing.
func LibraryInfo() (string, error) {
	if err := ready("LibraryInfo"); err != nil {
		return "", err
	}
	json, result := library.libraryInfo()
	return json, result.err("LibraryInfo")
}

// milliseconds rounds up, so that a short time does not become zero, which has a meaning of its own.
func milliseconds(duration time.Duration) int64 {
	whole := int64(duration / time.Millisecond)
	if duration%time.Millisecond > 0 {
		whole++
	}
	return whole
}

func checkDuration(op, what string, duration time.Duration) error {
	if duration < 0 {
		return refuse(op, "%s is %v; give a time of 0 or more", what, duration)
	}
	return nil
}

// checkText refuses what would be cut at a NUL byte. It takes names and texts in turn.
func checkText(op string, namesAndTexts ...string) error {
	for i := 0; i < len(namesAndTexts); i += 2 {
		if strings.IndexByte(namesAndTexts[i+1], 0) >= 0 {
			return refuse(op, "%s %q contains a NUL byte", namesAndTexts[i], namesAndTexts[i+1])
		}
	}
	return nil
}

// checkNumbers refuses what an int32_t does not hold. It takes names and values in turn.
func checkNumbers(op string, names []string, values ...int) error {
	for i, value := range values {
		if value < math.MinInt32 || value > math.MaxInt32 {
			return refuse(op, "%s is %d, which has more than 32 bits", names[i], value)
		}
	}
	return nil
}
