package parallelstate

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestErrorsIsAndAs(t *testing.T) {
	err := fmt.Errorf("training: %w", libraryError("AllReduce", ErrPeerFailed, "psAllReduce: rank 2 (pid 7): ended"))
	if !errors.Is(err, ErrPeerFailed) || errors.Is(err, ErrTimeout) || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("errors.Is does not tell the code")
	}
	var failure *Error
	if !errors.As(err, &failure) || failure.Op != "AllReduce" || failure.Msg != "rank 2 (pid 7): ended" {
		t.Errorf("errors.As gives %+v", failure)
	}
	var code Code
	if !errors.As(err, &code) || code != ErrPeerFailed {
		t.Errorf("errors.As gives the code %v", code)
	}
	if text := err.Error(); !strings.Contains(text, "AllReduce: PS_ERR_PEER_FAILED: rank 2") {
		t.Error(text)
	}
}

func TestTimeoutIsAlsoThatOfPackageOs(t *testing.T) {
	err := libraryError("Store.Get", ErrTimeout, "key 'a' is absent")
	var timeout interface{ Timeout() bool }
	if !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error("a timeout is not known as one")
	}
}

func TestCodesAreNamedAsTheLibraryNamesThem(t *testing.T) {
	if library == nil {
		t.Skip("without cgo there is no library")
	}
	for code, name := range codeNames {
		if found := library.resultName(code); found != name {
			t.Errorf("the library calls %s %q", name, found)
		}
	}
	if name := library.resultName(-99); name != unknownResult {
		t.Errorf("the library knows -99 as %q", name)
	}
}

func TestANewerLibraryNamesItsCodes(t *testing.T) {
	install(t)
	if text := Code(-77).Error(); text != "ERR_LATER" {
		t.Error(text)
	}
}

func TestUnknownCode(t *testing.T) {
	if text := Code(-99).Error(); text != "unknown result -99" {
		t.Error(text)
	}
}

func TestVersionCheck(t *testing.T) {
	for version, fits := range map[int32]bool{100: true, 107: true, 200: false, 10100: false, 0: false} {
		if err := checkVersion(version); (err == nil) != fits {
			t.Errorf("version %d: %v", version, err)
		}
	}
	if err := checkVersion(203); !strings.Contains(err.Error(), "0.2.3") {
		t.Error(err)
	}
}

func TestMilliseconds(t *testing.T) {
	for duration, expected := range map[time.Duration]int64{
		0: 0, 1: 1, time.Microsecond: 1, time.Millisecond: 1, time.Millisecond + 1: 2, time.Second: 1000,
	} {
		if found := milliseconds(duration); found != expected {
			t.Errorf("%v became %d ms", duration, found)
		}
	}
}

func TestValuesThatNobodyMade(t *testing.T) {
	for name, err := range map[string]error{
		"context": func() error { _, err := new(Context).World(); return err }(),
		"group":   new(Group).Barrier(),
		"slices":  AllReduce(new(Group), []int{1}, []int{1}, Sum),
		"blocks":  AllGatherV[int](new(Group), nil, nil, nil, nil),
		"batch":   new(Group).Batch(),
		"store":   func() error { _, err := new(Store).Get("a"); return err }(),
	} {
		if !errors.Is(err, ErrState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"context": (*Context)(nil).Close(), "group": (*Group)(nil).Close(), "store": (*Store)(nil).Close(),
		"work": (*Work)(nil).Close(), "buffer": (*Buffer[int])(nil).Free(),
		"made context": new(Context).Close(), "made group": new(Group).Close(), "made store": new(Store).Close(),
	} {
		if err != nil {
			t.Errorf("closing a %s: %v", name, err)
		}
	}
}
