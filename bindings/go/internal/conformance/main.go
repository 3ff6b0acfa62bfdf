// Command conformance runs the table that every binding runs: as one rank of a world of processes when PS_RANK is set,
// which may be of any mixture of languages, else with four goroutines as ranks.
//
//	conformance TABLE
package main

import (
	"fmt"
	"os"

	ps "github.com/parallelstate/parallelstate/bindings/go"
	"github.com/parallelstate/parallelstate/bindings/go/internal/table"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: conformance TABLE")
		os.Exit(2)
	}
	rows, err := table.Read(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	var failures []string
	if os.Getenv("PS_RANK") != "" {
		failures = table.RunRank(&ps.Config{}, rows, os.Stdout)
	} else {
		failures = table.RunWorld(rows, os.Stdout)
	}
	if len(failures) > 0 {
		os.Exit(1)
	}
}
