// Command demo is one rank of `psctl demo`, in Go. tools/psctl/demo_rank.cc says what a rank does.
package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"time"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

const (
	ranks     = 4
	victim    = 2
	ringTag   = 7
	ringTotal = 1 + 2 + 3 + 4
	layout    = "sglang:tp=2,pp=2"
	pipeTag   = 1
	pipeSum   = 1 + 2
	nameBytes = 16
	report    = 11
	language  = "Go"
)

// pair is a group of two and what came out of it.
type pair struct {
	group      *ps.Group
	members    []int32
	gathered   []int32
	sum        int64
	asExpected bool
}

func newPair(context *ps.Context, name string, members ...int32) (*pair, error) {
	global := make([]int, len(members))
	for i, member := range members {
		global[i] = int(member)
	}
	group, err := context.NewGroup(global, &ps.GroupOptions{Name: name})
	return &pair{group: group, members: members, gathered: make([]int32, len(members)), asExpected: true}, err
}

func (p *pair) add(rank int) error {
	values := make([]float32, 4)
	for i := range values {
		values[i] = float32(rank + 1)
	}
	if err := ps.AllReduce(p.group, values, values, ps.Sum); err != nil {
		return err
	}
	p.sum = int64(values[0])
	for _, value := range values {
		p.asExpected = p.asExpected && value == float32(p.members[0]+1+p.members[1]+1)
	}
	return nil
}

func (p *pair) collect(rank int) error {
	err := ps.AllGather(p.group, []int32{int32(rank)}, p.gathered)
	p.asExpected = p.asExpected && reflect.DeepEqual(p.gathered, p.members)
	return err
}

func passToken(world *ps.Group) (int64, error) {
	token, received := []int64{0}, []int64{0}
	for hop := 0; hop < ranks; hop++ {
		if err := ps.SendRecv(world, token, ps.Next, received, ps.Prev, ringTag); err != nil {
			return 0, err
		}
		token[0] = received[0] + int64(world.Rank()) + 1
	}
	return token[0], nil
}

// runPipeline uses the groups of a layout, by name: a sum within a stage, which the first stage then sends to the last.
func runPipeline(context *ps.Context) (int64, error) {
	if err := context.InitModelParallel(layout, nil); err != nil {
		return 0, err
	}
	defer context.DestroyModelParallel()
	tp, err := context.Group("tp")
	if err != nil {
		return 0, err
	}
	defer tp.Close()
	pp, err := context.Group("pp")
	if err != nil {
		return 0, err
	}
	defer pp.Close()
	sum := []int64{int64(context.Rank()) + 1}
	if err := ps.AllReduce(tp, sum, sum, ps.Sum); err != nil {
		return 0, err
	}
	if pp.Rank() == 0 {
		return sum[0], ps.Send(pp, sum, ps.Next, pipeTag)
	}
	err = ps.Recv(pp, sum, ps.Prev, pipeTag)
	return sum[0], err
}

func printTable(reports []int64, names []byte) {
	var text strings.Builder
	fmt.Fprintln(&text, "\nrank  language  process   tp group  its sum   dp group  its sum   ring token  pipeline  "+
		"as expected")
	for ; len(reports) > 0; reports = reports[report:] {
		r := reports[:report]
		name := strings.TrimRight(string(names[r[0]*nameBytes:(r[0]+1)*nameBytes]), "\x00")
		verdict := "NO"
		if r[10] == 1 {
			verdict = "yes"
		}
		fmt.Fprintf(&text, "%4d  %-8s  %7d   [%d, %d]    %7d   [%d, %d]    %7d   %10d  %8d  %s\n",
			r[0], name, r[1], r[4], r[5], r[2], r[6], r[7], r[3], r[8], r[9], verdict)
	}
	fmt.Fprintf(&text, "\nEvery rank gave its number + 1 to a sum in each of its groups; a token went round the ring and "+
		"gained\nthe same from every rank: 1 + 2 + 3 + 4 = %d; in the layout %s the first stage's sum, %d, went\ndown the "+
		"pipeline.\n\n", ringTotal, layout, pipeSum)
	os.Stdout.WriteString(text.String())
}

func die(rank int) {
	fmt.Printf("rank %d kills its own process now (SIGKILL), while the others wait for it in a barrier\n", rank)
	time.Sleep(300 * time.Millisecond)
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

func outlive(world *ps.Group) bool {
	var err error
	for err == nil {
		err = world.Barrier()
	}
	var failure *ps.Error
	if errors.As(err, &failure) {
		fmt.Printf("rank %d got %v: %s\n", world.Rank(), failure.Code, failure.Msg)
	}
	return errors.Is(err, ps.ErrPeerFailed)
}

func demonstrate() (asExpected bool, err error) {
	context, err := ps.Init(nil)
	if err != nil {
		return false, err
	}
	defer context.Close()
	rank := context.Rank()
	if context.WorldSize() != ranks {
		return false, fmt.Errorf("the demonstration has four ranks, this world has %d", context.WorldSize())
	}
	fmt.Printf("rank %d of %d, written in %s, is process %d\n", rank, ranks, language, os.Getpid())
	world, err := context.World()
	if err != nil {
		return false, err
	}
	defer world.Close()

	var name [nameBytes]byte
	copy(name[:], language)
	names := make([]byte, ranks*nameBytes)
	if err := ps.AllGather(world, name[:], names); err != nil {
		return false, err
	}

	first := int32(rank)
	tp, err := newPair(context, "tp", first&^1, first|1)
	if err != nil {
		return false, err
	}
	defer tp.group.Close()
	dp, err := newPair(context, "dp", first&1, first&1+2)
	if err != nil {
		return false, err
	}
	defer dp.group.Close()
	for _, step := range []func(int) error{tp.add, dp.add, tp.collect, dp.collect} {
		if err := step(rank); err != nil {
			return false, err
		}
	}
	token, err := passToken(world)
	if err != nil {
		return false, err
	}
	sum, err := runPipeline(context)
	if err != nil {
		return false, err
	}
	asExpected = tp.asExpected && dp.asExpected && token == ringTotal && sum == pipeSum

	own := []int64{int64(rank), int64(os.Getpid()), tp.sum, dp.sum, int64(tp.gathered[0]), int64(tp.gathered[1]),
		int64(dp.gathered[0]), int64(dp.gathered[1]), token, sum, int64(ps.BoolOf(asExpected))}
	var reports []int64
	if rank == 0 {
		reports = make([]int64, ranks*report)
	}
	if err := ps.Gather(world, own, reports, 0); err != nil {
		return false, err
	}
	if rank == 0 {
		printTable(reports, names)
	}
	if err := world.Barrier(); err != nil {
		return false, err
	}

	if os.Getenv("PS_DEMO_KILL") == "1" {
		if rank == victim {
			die(rank)
		}
		asExpected = outlive(world) && asExpected
	}
	return asExpected, nil
}

func main() {
	asExpected, err := demonstrate()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil || !asExpected {
		os.Exit(1)
	}
}
