// Adds 1 of every rank, in Go.
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
	values := []int64{1}
	if err := ps.AllReduce(world, values, values, ps.Sum); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("rank %d of %d: sum %d\n", context.Rank(), context.WorldSize(), values[0])
	if values[0] != int64(context.WorldSize()) {
		log.Fatal("the sum is not the number of ranks")
	}
}
