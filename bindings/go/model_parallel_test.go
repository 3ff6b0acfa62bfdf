//go:build cgo

package parallelstate

import (
	"fmt"
	"testing"
	"time"
)

const parallelSpec = "sglang:tp=2,pp=2"

func total(group *Group, value int64) (int64, error) {
	values := []int64{value}
	err := AllReduce(group, values, values, Sum)
	return values[0], err
}

// checkGroups says whether every name gives the group that the layout says, and whether it sums its ranks.
func checkGroups(c *Context, layout *Layout) error {
	for _, name := range layout.Names() {
		if err := checkGroup(c, layout, name); err != nil {
			return fmt.Errorf("%s: %w", name.Name, err)
		}
	}
	return nil
}

func checkGroup(c *Context, layout *Layout, name LayoutName) error {
	group, err := c.Group(name.Name)
	if err != nil {
		return err
	}
	defer group.Close()
	index, place, err := layout.GroupOf(name.Name, c.Rank())
	if err != nil {
		return err
	}
	ranks, err := layout.Group(name.Name, index)
	if err != nil {
		return err
	}
	var expected int64
	for _, rank := range ranks {
		expected += int64(rank) + 1
	}
	own := name.AliasOf
	if own == "" {
		own = name.Name
	}
	members, err := group.GlobalRanks()
	sum, sumErr := total(group, int64(c.Rank())+1)
	return first(err, sumErr, expectAll("members", members, ranks), expect("rank", group.Rank(), place),
		expect("name", group.Name(), own), expect("sum", sum, expected))
}

func expectInitialized(c *Context, expected bool) error {
	found, err := c.ModelParallelIsInitialized()
	return first(err, expect("initialized", found, expected))
}

func TestGroupsByNameAndAlias(t *testing.T) {
	layout := mustLayout(t, parallelSpec, 4)
	runWorld(t, 4, func(c *Context) error {
		if err := first(expectInitialized(c, false), c.InitModelParallel(layout.Spec(), nil), expectInitialized(c, true),
			checkGroups(c, layout)); err != nil {
			return err
		}
		info, err := c.Info()
		if err := first(err, expect("spec", info.LayoutSpec, parallelSpec)); err != nil {
			return err
		}
		kept, err := c.Group("tp")
		if err != nil {
			return err
		}
		defer kept.Close()
		if err := first(c.DestroyModelParallel(), c.DestroyModelParallel(), expectInitialized(c, false)); err != nil {
			return err
		}
		_, gone := c.Group("tp")
		sum, err := total(kept, 1)
		return first(expectError(gone, ErrNotFound, "world"), err, expect("sum", sum, 2))
	})
}

func TestASecondIsRefusedAndEnsureCompares(t *testing.T) {
	layout := mustLayout(t, parallelSpec, 4)
	runWorld(t, 4, func(c *Context) error {
		if err := first(c.EnsureModelParallel(parallelSpec, &ModelParallelOptions{Timeout: 20 * time.Second}),
			expectError(c.InitModelParallel(parallelSpec, nil), ErrState, "exist already"),
			c.EnsureModelParallel("sglang:pp=2,tp=*", nil),
			expectError(c.EnsureModelParallel("sglang:tp=4", nil), ErrState, "tp=2 and tp=4"),
			checkGroups(c, layout)); err != nil {
			return err
		}
		group, err := c.Group("tp")
		if err != nil {
			return err
		}
		defer group.Close()
		info, err := group.Info()
		return first(err, expect("timeout", info.Timeout, 20*time.Second))
	})
}

func TestRanksThatDifferAreNamed(t *testing.T) {
	layout := mustLayout(t, parallelSpec, 4)
	runWorld(t, 4, func(c *Context) error {
		spec := "vllm:tp=2,pp=2"
		if c.Rank() == 3 {
			spec = "vllm:tp=4"
		}
		err := c.InitModelParallel(spec, nil)
		return first(expectError(err, ErrMismatch, "rank 3 says"), expectError(err, ErrMismatch, "rank 0 says"),
			expectError(err, ErrMismatch, "tp=4 and tp=2"), expectInitialized(c, false),
			c.InitModelParallel(parallelSpec, nil), checkGroups(c, layout))
	})
}

func TestAgainAndAgain(t *testing.T) {
	var layouts []*Layout
	for _, spec := range []string{parallelSpec, "sglang:tp=4,moe_ep=2", "grid:tp=2,dp=2"} {
		layouts = append(layouts, mustLayout(t, spec, 4))
	}
	runWorld(t, 4, func(c *Context) error {
		for round := 0; round < 20; round++ {
			layout, options := layouts[round%3], &ModelParallelOptions{}
			if round%2 == 0 {
				options.Flags = WarmUp
			}
			if err := first(c.InitModelParallel(layout.Spec(), options), checkGroups(c, layout),
				c.DestroyModelParallel()); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
		}
		return nil
	})
}

func TestModelParallelRefusals(t *testing.T) {
	runWorld(t, 1, func(c *Context) error {
		return first(
			expectError(c.InitModelParallel("megatron:tp=3", nil), ErrArgument, "Context.InitModelParallel: "),
			expectError(c.EnsureModelParallel("megatron:tp=3", nil), ErrArgument, "tp=3 does not divide"),
			expectError(c.InitModelParallel("vllm:tp=1", &ModelParallelOptions{BackendOptions: "tp:nonsense=1"}), ErrArgument,
				"nonsense"),
			expectError(c.InitModelParallel("vllm:tp=1", &ModelParallelOptions{Timeout: -1}), ErrArgument, "-1ns"),
			expectError(c.InitModelParallel("vllm:tp=\x00", nil), ErrArgument, "NUL byte"),
			expectInitialized(c, false),
			c.InitModelParallel("vllm:tp=1", nil), c.Close(),
			expectError(c.DestroyModelParallel(), ErrState, "closed"),
			expectError(c.EnsureModelParallel("vllm:tp=1", nil), ErrState, "closed"),
		)
	})
}
