//go:build cgo

package parallelstate

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func mustLayout(t *testing.T, spec string, worldSize int) *Layout {
	t.Helper()
	layout, err := NewLayout(spec, worldSize)
	if err != nil {
		t.Fatal(err)
	}
	return layout
}

func readGolden(t *testing.T, name string, cases any) {
	t.Helper()
	text, err := os.ReadFile("../../tests/golden/" + name)
	if err == nil {
		err = json.Unmarshal(text, cases)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type goldenLayout struct {
	Spec        string
	World       int
	Groups      map[string][][]int
	Aliases     map[string]string
	Coordinates []map[string]int
	AttnDPPeers [][]int `json:"attn_dp_peers"`
	Error       string
}

func (g *goldenLayout) check(layout *Layout) error {
	groups := map[string][][]int{}
	for name, expected := range g.Groups {
		groups[name] = expected
	}
	if g.AttnDPPeers != nil {
		groups["attn_dp"] = g.AttnDPPeers
	}
	for name, expected := range groups {
		found, err := layout.Groups(name)
		if err := first(err, expect(name, fmt.Sprint(found), fmt.Sprint(expected))); err != nil {
			return err
		}
		for index, ranks := range expected {
			for place, rank := range ranks {
				group, own, err := layout.GroupOf(name, rank)
				if err := first(err, expect("group", group, index), expect("place", own, place)); err != nil {
					return fmt.Errorf("%s of rank %d: %w", name, rank, err)
				}
			}
		}
	}
	for _, each := range layout.Names() {
		if g.Aliases != nil && g.Aliases[each.Name] != each.AliasOf {
			return fmt.Errorf("%s is an alias of %q, not of %q", each.Name, each.AliasOf, g.Aliases[each.Name])
		}
	}
	for _, coordinates := range g.Coordinates {
		for key, expected := range coordinates {
			if key == "rank" {
				continue
			}
			found, err := layout.Coordinate(strings.TrimSuffix(key, "_rank"), coordinates["rank"])
			if err := first(err, expect(key, found, expected)); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestGoldenLayouts(t *testing.T) {
	var cases []goldenLayout
	readGolden(t, "layouts.json", &cases)
	if len(cases) < 150 {
		t.Fatalf("there are %d cases", len(cases))
	}
	for _, each := range cases {
		layout, err := NewLayout(each.Spec, each.World)
		if each.Error != "" {
			err = expectError(err, ErrArgument, "NewLayout: ")
		} else if err == nil {
			err = each.check(layout)
		}
		if err != nil {
			t.Errorf("%s in a world of %d: %v", each.Spec, each.World, err)
		}
	}
}

func TestGoldenPipelineLayers(t *testing.T) {
	var cases []struct {
		Rule       string
		Layers, PP int
		Partition  []int
		Ranges     [][2]int
	}
	readGolden(t, "pipeline_layers.json", &cases)
	if len(cases) < 40 {
		t.Fatalf("there are %d cases", len(cases))
	}
	for _, each := range cases {
		var expected []Range
		for _, limits := range each.Ranges {
			expected = append(expected, Range{limits[0], limits[1]})
		}
		found, err := PipelineLayers(each.Rule, each.Layers, each.PP, each.Partition)
		if err := first(err, expectAll("layers", found, expected)); err != nil {
			t.Errorf("%+v: %v", each, err)
		}
	}
}

func TestLayoutIsAValue(t *testing.T) {
	layout := mustLayout(t, "vllm:tp=4,pp=*", 8)
	same, other := mustLayout(t, "vllm:pp=2,tp=4", 8), mustLayout(t, "vllm:tp=4", 8)
	description, err := layout.Describe()
	equal, equalErr := layout.Diff(same)
	different, differentErr := layout.Diff(other)
	if err := first(err, equalErr, differentErr, expect("spec", layout.Spec(), "vllm:tp=4,pp=2"),
		expect("text", fmt.Sprint(layout), layout.Spec()), expect("world", layout.WorldSize(), 8),
		expect("equal", layout.Equal(same) && !layout.Equal(other) && !layout.Equal(nil), true),
		expect("hash", layout.Hash(), same.Hash()), expect("difference", equal, `{"equal":true}`),
		expect("axis", layout.Axes()[0], LayoutAxis{"tp", 4}),
		expect("name", layout.Names()[1], LayoutName{"tp", ""})); err != nil {
		t.Error(err)
	}
	if !strings.Contains(description, fmt.Sprintf(`"hash":"%016x"`, layout.Hash())) || !json.Valid([]byte(description)) {
		t.Error(description)
	}
	if !strings.Contains(different, `"key":"pp"`) || layout.Hash() == other.Hash() {
		t.Error(different)
	}
	layout.Names()[0].Name, layout.Axes()[0].Size = "changed", 0
	if layout.Names()[0].Name == "changed" || layout.Axes()[0].Size == 0 {
		t.Error("a layout can be changed")
	}
}

func TestViewsAndMergedAxes(t *testing.T) {
	layout := mustLayout(t, "grid:tp=4,dp=4,pp=2;expert:etp=2,ep=8,pp=2", 32)
	count, countErr := layout.GroupCount("tp-dp")
	ranks, err := layout.Group("ep", 0)
	coordinate, coordinateErr := layout.Coordinate("expert.ep", 5)
	if err := first(countErr, err, coordinateErr, expect("count", count, 2), expect("coordinate", coordinate, 2),
		expectAll("ranks", ranks, []int{0, 2, 4, 6, 8, 10, 12, 14})); err != nil {
		t.Error(err)
	}
}

func TestLayoutRefusals(t *testing.T) {
	create := func(spec string, worldSize int) error {
		_, err := NewLayout(spec, worldSize)
		return err
	}
	layout := mustLayout(t, "mesh:dp=2,tp=2,rank_offset=1", 5)
	_, name := layout.Groups("ep")
	_, index := layout.Group("tp", 2)
	_, negative := layout.Group("tp", -1)
	_, _, below := layout.GroupOf("tp", 0)
	_, _, outside := layout.GroupOf("tp", 5)
	_, axis := layout.Coordinate("ep", 1)
	_, none := layout.Diff(nil)
	_, zero := new(Layout).Describe()
	_, sum := PipelineLayers("sglang", 60, 3, []int{10, 20, 20})
	_, shares := PipelineLayers("sglang", 60, 3, []int{})
	_, stages := PipelineLayers("vllm", 60, -2, nil)
	_, rule := PipelineLayers("even", 60, 2, nil)
	_, parts := ShardRange(12, 5, 0)
	shard, err := ShardRange(12, 4, 3)
	if err := first(
		expectError(create("megatron:tp=3", 8), ErrArgument, "NewLayout: "),
		expectError(create("megatron:tp=3", 8), ErrArgument, "tp=3 does not divide world 8 (8 = 3 x 2 + 2); try tp=1, 2, 4 or 8"),
		expectError(create("nonsense:tp=2", 8), ErrArgument, "unknown preset"),
		expectError(create("vllm:tp=2,tp=2", 8), ErrArgument, "at position"),
		expectError(create("vllm:tp=\x00", 8), ErrArgument, "NUL byte"),
		expectError(create("vllm:tp=2", 0), ErrArgument, "at least 1 rank"),
		expectError(create("vllm:tp=2", 1<<40), ErrArgument, "32 bits"),
		expectError(name, ErrNotFound, "no groups 'ep'"),
		expectError(index, ErrArgument, "group 2 of 2"),
		expectError(negative, ErrArgument, "index is -1"),
		expectError(below, ErrNotFound, "rank 0 is in no"),
		expectError(outside, ErrArgument, "rank 5"),
		expectError(axis, ErrNotFound, "no axis 'ep'"),
		expectError(none, ErrArgument, "not made by NewLayout"),
		expectError(zero, ErrState, "not made by NewLayout"),
		expectError(sum, ErrArgument, "10+20+20 has 50 layers, 10 fewer"),
		expectError(shares, ErrArgument, "0 shares; there are 3 stages"),
		expectError(stages, ErrArgument, "-2 stages"),
		expectError(rule, ErrArgument, "sglang and vllm"),
		expectError(parts, ErrArgument, "5 shards do not divide 12"),
		err, expect("shard", shard, Range{9, 12}),
	); err != nil {
		t.Error(err)
	}
}

// Goroutines share layouts, and the collector frees those that are forgotten, beside them.
func TestLayoutsAreSharedAndCollected(t *testing.T) {
	shared := mustLayout(t, "grid:a=8,b=8", 64)
	var all sync.WaitGroup
	for worker := 0; worker < 4; worker++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for rank := 0; rank < 64; rank++ {
				own, err := NewLayout("grid:a=8,b=8", 64)
				if err != nil {
					t.Error(err)
					return
				}
				group, _, err := shared.GroupOf("a", rank)
				coordinate, coordinateErr := own.Coordinate("b", rank)
				if err := first(err, coordinateErr, expect("group", group, coordinate)); err != nil {
					t.Error(err)
				}
				if rank%16 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	all.Wait()
}
