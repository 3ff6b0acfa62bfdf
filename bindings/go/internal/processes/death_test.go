//go:build cgo

// Package processes tests what needs ranks that are processes: this test's own program, started again for each rank.
package processes

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

const (
	rankVariable  = "PARALLELSTATE_GO_TEST_RANK"
	placeVariable = "PARALLELSTATE_GO_TEST_PLACE"
	ranks         = 3
	victim        = ranks - 1
)

func TestMain(m *testing.M) {
	if rank := os.Getenv(rankVariable); rank != "" {
		if err := outlive(rank, os.Getenv(placeVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// outlive is one rank. The last one kills itself, the others tell who died and go on without it.
func outlive(text, place string) error {
	rank, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	context, err := ps.Init(&ps.Config{Rank: rank, WorldSize: ranks, Rendezvous: place, Secret: "s",
		Flags: ps.NoEnvironment | ps.HostOnly, Timeout: time.Minute, InitTimeout: time.Minute})
	if err != nil {
		return err
	}
	var rest *ps.Group
	if rank != victim {
		if rest, err = context.NewGroup([]int{0, 1}, &ps.GroupOptions{Name: "rest"}); err != nil {
			return err
		}
	}
	world, err := context.World()
	if err != nil {
		return err
	}
	if err := world.Barrier(); err != nil {
		return err
	}
	if rank == victim {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	values := []float64{1, 1, 1}
	for err == nil {
		err = ps.AllReduce(world, values, values, ps.Sum)
	}
	if !errors.Is(err, ps.ErrPeerFailed) {
		return fmt.Errorf("not a failed peer: %w", err)
	}
	fmt.Println(err)
	info, err := world.Info()
	if err != nil || info.FailedGlobalRank != victim || !errors.Is(info.Err(), ps.ErrPeerFailed) {
		return fmt.Errorf("the group says %+v, %v", info, err)
	}
	if dead, err := context.RankInfo(victim); err != nil || dead.State != ps.RankDead {
		return fmt.Errorf("the victim is %v, %v", dead.State, err)
	}
	one := []int{1}
	if err := ps.AllReduce(rest, one, one, ps.Sum); err != nil || one[0] != victim {
		return fmt.Errorf("the rest has %v, %v", one, err)
	}
	return context.Close()
}

func TestTheVictimIsNamed(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	place := "unix://" + filepath.Join(t.TempDir(), "world")
	var processes [ranks]*exec.Cmd
	var out, errs [ranks]strings.Builder
	for rank := range processes {
		process := exec.Command(self)
		process.Env = append(os.Environ(), rankVariable+"="+strconv.Itoa(rank), placeVariable+"="+place)
		process.Stdout, process.Stderr = &out[rank], &errs[rank]
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		defer time.AfterFunc(100*time.Second, func() { process.Process.Kill() }).Stop()
		processes[rank] = process
	}
	for rank, process := range processes {
		process.Wait()
		signal := process.ProcessState.Sys().(syscall.WaitStatus).Signal()
		if rank == victim {
			if signal != syscall.SIGKILL {
				t.Errorf("the victim ended with %v: %s", process.ProcessState, errs[rank].String())
			}
			continue
		}
		if !process.ProcessState.Success() {
			t.Errorf("rank %d ended with %v: %s", rank, process.ProcessState, errs[rank].String())
		}
		for _, part := range []string{"rank 2", strconv.Itoa(processes[victim].Process.Pid)} {
			if !strings.Contains(out[rank].String(), part) {
				t.Errorf("rank %d says nothing of %q: %s", rank, part, out[rank].String())
			}
		}
	}
}
