package table

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

// WorldSize is the number of ranks that the table is made for.
const WorldSize = 4

const deadline = time.Minute

// RunWorld runs all rows with goroutines as ranks, and writes what each rank found. It returns what failed.
func RunWorld(rows []Row, out io.Writer) (failures []string) {
	var all sync.WaitGroup
	var mu sync.Mutex
	name := fmt.Sprintf("mem://go-table-%d-%d", os.Getpid(), time.Now().UnixNano())
	for rank := 0; rank < WorldSize; rank++ {
		config := &ps.Config{Rank: rank, WorldSize: WorldSize, Rendezvous: name, Flags: ps.NoEnvironment | ps.HostOnly}
		all.Add(1)
		go func() {
			defer all.Done()
			found := RunRank(config, rows, out)
			mu.Lock()
			defer mu.Unlock()
			failures = append(failures, found...)
		}()
	}
	all.Wait()
	return failures
}

// RunRank runs all rows as the rank that config describes, and writes what it found. It returns what failed.
func RunRank(config *ps.Config, rows []Row, out io.Writer) []string {
	config.Timeout, config.InitTimeout = deadline, deadline
	context, err := ps.Init(config)
	if err != nil {
		fmt.Fprintln(out, err)
		return []string{err.Error()}
	}
	defer context.Close()
	var failures []string
	if context.WorldSize() == WorldSize {
		failures = Run(context, rows)
	} else {
		failures = []string{fmt.Sprintf("this world has %d ranks, the table is made for %d", context.WorldSize(), WorldSize)}
	}
	verdict := "ok"
	if len(failures) > 0 {
		verdict = "run, failed:\n  " + strings.Join(failures, "\n  ")
	}
	fmt.Fprintf(out, "rank %d: %d rows %s\n", context.Rank(), len(rows), verdict)
	return failures
}
