//go:build cgo

package table

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func rows(t *testing.T) []Row {
	t.Helper()
	path := os.Getenv("PS_CONFORMANCE_TABLE")
	if path == "" {
		path = filepath.Join("..", "..", "..", "..", "tests", "conformance", "table.txt")
	}
	rows, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestTable(t *testing.T) {
	for _, failure := range RunWorld(rows(t), io.Discard) {
		t.Error(failure)
	}
}

func written(t *testing.T, line string) []Row {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table.txt")
	if err := os.WriteFile(path, []byte("# a comment\n"+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// A table that is wrong has to fail, or the test above says nothing.
func TestWrongRowsFail(t *testing.T) {
	for line, reason := range map[string]string{
		"a 2 all_reduce int32 sum - 4 1/2 4 ok":                       "element 0 is 3 instead of 4",
		"b 2 all_reduce int32 sum - 4 1/2 - PS_ERR_UNSUPPORTED":       "<nil> instead of PS_ERR_UNSUPPORTED",
		"c 2 all_reduce bool sum - 4 1 1 ok":                          "PS_ERR_UNSUPPORTED",
		"d 2 gather float32 - 1 3 1/2 -/1;3 ok":                       "element 3 is 2 instead of 3",
		"e 2 all_to_all_v uint8 - - 1,2/0,1 1;2/-;3 1;-/2;4 ok":       "element 2 is 3 instead of 4",
		"f 2 shuffle int32 - - 1 1 1 ok":                              "unknown operation",
		"g 2 all_reduce int33 sum - 1 1 1 ok":                         "unknown data type",
		"h 2 all_reduce float16 sum - 1 1.5 0x3e00 ok":                "written as bits",
		"i 2 broadcast int32 - 0 4 1/- 1 PS_ERR_ARGUMENT":             "<nil> instead of PS_ERR_ARGUMENT",
		"j 3 send_recv int8 - - 1 1/2/3 1/2/3 ok":                     "element 0 is 3 instead of 1",
		"k 2 reduce_scatter_v int32 sum - 1,2 1;1/1;1 2/3 ok":         "element 0 is 2 instead of 3",
		"l 2 all_gather_v int32 - - 1,2 1/2 1;3 ok":                   "element 1 is 2 instead of 3",
		"m 2 scatter float64 - 0 2 1;2/- 1/3 ok":                      "element 0 is 2 instead of 3",
		"n 2 all_reduce int64 premul_sum=2 - 1 1 4 ok":                "PS_ERR_",
		"o 2 all_reduce float32 premul_sum=2/premul_sum=3 - 1 1 6 ok": "element 0 is 5 instead of 6",
	} {
		failures := strings.Join(RunWorld(written(t, line), io.Discard), "\n")
		if !strings.Contains(failures, reason) {
			t.Errorf("%s\nfailed with %q", line, failures)
		}
	}
}

func TestTablesThatCannotBeRead(t *testing.T) {
	for _, text := range []string{"", "a 2 all_reduce", "a two all_reduce int32 sum - 1 1 1 ok"} {
		path := filepath.Join(t.TempDir(), "table.txt")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if rows, err := Read(path); err == nil {
			t.Errorf("%q was read as %v", text, rows)
		}
	}
}
