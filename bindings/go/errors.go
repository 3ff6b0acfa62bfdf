package parallelstate

import (
	"fmt"
	"os"
	"strings"
)

// Code says what kind of failure an Error is. Codes are errors, to be used with errors.Is.
type Code int32

// The codes. ErrArgument, ErrState, ErrUnsupported and ErrNoMemory before the start are refusals: nothing was sent and
// the group is unharmed. The failures of an operation fail the group: every later operation on it returns the same.
const (
	ErrArgument    Code = -1
	ErrState       Code = -2
	ErrUnsupported Code = -3
	ErrNoMemory    Code = -4
	ErrSystem      Code = -5
	ErrPeerFailed  Code = -6
	ErrTimeout     Code = -7 // also os.ErrDeadlineExceeded, for errors.Is
	ErrAborted     Code = -8
	ErrBackend     Code = -9
	ErrInternal    Code = -10
	ErrMismatch    Code = -11
	ErrNotFound    Code = -12
	ErrClosed      Code = -13
	ErrDenied      Code = -14
)

const (
	codeOK         Code = 0
	codeInProgress Code = 1
)

var codeNames = map[Code]string{
	codeOK: "PS_OK", codeInProgress: "PS_IN_PROGRESS",
	ErrArgument: "PS_ERR_ARGUMENT", ErrState: "PS_ERR_STATE", ErrUnsupported: "PS_ERR_UNSUPPORTED",
	ErrNoMemory: "PS_ERR_NO_MEMORY", ErrSystem: "PS_ERR_SYSTEM", ErrPeerFailed: "PS_ERR_PEER_FAILED",
	ErrTimeout: "PS_ERR_TIMEOUT", ErrAborted: "PS_ERR_ABORTED", ErrBackend: "PS_ERR_BACKEND",
	ErrInternal: "PS_ERR_INTERNAL", ErrMismatch: "PS_ERR_MISMATCH", ErrNotFound: "PS_ERR_NOT_FOUND",
	ErrClosed: "PS_ERR_CLOSED", ErrDenied: "PS_ERR_DENIED",
}

// What the library says of a code that it does not know.
const unknownResult = "unknown result"

// String returns the constant's name in the C interface, such as "PS_ERR_TIMEOUT".
func (c Code) String() string {
	if name, known := codeNames[c]; known {
		return name
	}
	if library != nil { // which may be newer than this package
		if name := library.resultName(c); name != unknownResult {
			return name
		}
	}
	return fmt.Sprintf("%s %d", unknownResult, int32(c))
}

// Error returns the same as String.
func (c Code) Error() string { return c.String() }

// Is makes a timeout of the library one of package os too.
func (c Code) Is(target error) bool { return c == ErrTimeout && target == os.ErrDeadlineExceeded }

// Error is the failure of a call.
type Error struct {
	Code Code
	Op   string // the function or method of this package, such as "AllReduce"
	Msg  string // on which group, by which rank, what was found, what would work
}

// Error returns everything that is known, in one line or more.
func (e *Error) Error() string { return fmt.Sprintf("parallelstate: %s: %v: %s", e.Op, e.Code, e.Msg) }

// Unwrap returns the code, so that errors.Is(err, ErrPeerFailed) holds for an error with that code.
func (e *Error) Unwrap() error { return e.Code }

// Timeout reports whether a deadline passed, as in package net.
func (e *Error) Timeout() bool { return e.Code == ErrTimeout }

func refuse(op string, format string, arguments ...any) error {
	return &Error{Code: ErrArgument, Op: op, Msg: fmt.Sprintf(format, arguments...)}
}

// libraryError makes an Error of a result and the text of psLastError, which begins with the C function's name.
func libraryError(op string, code Code, text string) error {
	if name, rest, found := strings.Cut(text, ": "); found && strings.HasPrefix(name, "ps") && !strings.Contains(name, " ") {
		text = rest
	}
	if text == "" {
		text = "no text"
	}
	return &Error{Code: code, Op: op, Msg: text}
}
