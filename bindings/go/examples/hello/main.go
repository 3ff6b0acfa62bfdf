// Command hello sums over all ranks: psctl run -n 4 -- hello
package main

import (
	"fmt"
	"log"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

func main() {
	context, err := ps.Init(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer context.Close()
	world, err := context.World()
	if err != nil {
		log.Fatal(err)
	}
	values := []float32{float32(context.Rank()), 1}
	if err := ps.AllReduce(world, values, values, ps.Sum); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("rank %d of %d has %v\n", context.Rank(), context.WorldSize(), values)
}
