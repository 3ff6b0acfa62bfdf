package parallelstate

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Layout is the groups of a spec such as "sglang:tp=8,pp=2" in a world of some size, as data: it needs no context, no
// other rank and no device. All ranks are world ranks.
//
// It is immutable, may be used from all goroutines at once, and needs no Close: the garbage collector frees it, which
// concerns nobody else. Layouts are equal where canonical spec and world size are (Equal); as the key of a map use these
// two.
type Layout struct {
	pointer unsafe.Pointer
	info    layoutInfo
}

type layoutInfo struct {
	spec      string
	worldSize int
	hash      uint64
	names     []LayoutName
	axes      []LayoutAxis
}

// LayoutName is the name of a kind of groups.
type LayoutName struct {
	Name    string
	AliasOf string // the name whose groups these are, "" for a name of its own
}

// LayoutAxis is an axis of a layout; those of a view are named "expert.ep".
type LayoutAxis struct {
	Name string
	Size int
}

// NewLayout returns the layout of spec in a world of worldSize ranks. The text of ErrArgument names the axis, shows the
// arithmetic, tells the position and offers what would work.
func NewLayout(spec string, worldSize int) (*Layout, error) {
	const op = "NewLayout"
	if err := ready(op); err != nil {
		return nil, err
	}
	if err := checkText(op, "spec", spec); err != nil {
		return nil, err
	}
	if err := checkNumbers(op, []string{"worldSize"}, worldSize); err != nil {
		return nil, err
	}
	from := library
	made := from.layoutCreate(spec, int32(worldSize))
	if err := made.err(op); err != nil {
		return nil, err
	}
	layout := &Layout{pointer: made.object}
	runtime.SetFinalizer(layout, func(l *Layout) { from.layoutFree(l.pointer) })
	info, result := from.layoutInfo(layout.pointer)
	layout.info = info
	if err := result.err(op); err != nil {
		return nil, err
	}
	return layout, nil
}

// Spec returns the canonical spec: the same text for every spec of an equal layout.
func (l *Layout) Spec() string { return l.info.spec }

// WorldSize returns the number of ranks in its world.
func (l *Layout) WorldSize() int { return l.info.worldSize }

// Hash returns 64 bits of canonical spec and world size, the same in every language, build and run.
func (l *Layout) Hash() uint64 { return l.info.hash }

// String returns the canonical spec.
func (l *Layout) String() string { return l.info.spec }

// Names returns the names of groups, aliases included, in the layout's order.
func (l *Layout) Names() []LayoutName { return append([]LayoutName(nil), l.info.names...) }

// Axes returns the axes and their sizes.
func (l *Layout) Axes() []LayoutAxis { return append([]LayoutAxis(nil), l.info.axes...) }

// Equal reports whether canonical spec and world size are equal.
func (l *Layout) Equal(other *Layout) bool {
	return l == other || l != nil && other != nil && l.Spec() == other.Spec() && l.WorldSize() == other.WorldSize()
}

// use calls do, and the layout is not freed meanwhile. It takes what an argument is called, and the argument.
func (l *Layout) use(op, what, name string, do func(layout unsafe.Pointer) status) (status, error) {
	if l == nil || l.pointer == nil {
		return status{}, &Error{Code: ErrState, Op: op, Msg: "this value was not made by NewLayout"}
	}
	if err := checkText(op, what, name); err != nil {
		return status{}, err
	}
	defer runtime.KeepAlive(l)
	result := do(l.pointer)
	return result, result.err(op)
}

// GroupCount returns how many groups a name has.
func (l *Layout) GroupCount(name string) (int, error) {
	result, err := l.use("Layout.GroupCount", "name", name, func(layout unsafe.Pointer) status {
		return library.layoutGroupCount(layout, name)
	})
	return int(result.value), err
}

// Group returns the ranks of one group, in their order; it is answered without the others.
func (l *Layout) Group(name string, index int) ([]int, error) {
	return l.group("Layout.Group", name, index)
}

func (l *Layout) group(op, name string, index int) ([]int, error) {
	if index < 0 {
		return nil, refuse(op, "index is %d; groups are numbered from 0", index)
	}
	var raw []int32
	_, err := l.use(op, "name", name, func(layout unsafe.Pointer) status {
		size := library.layoutGroupRanks(layout, name, index, nil)
		if size.code < 0 {
			return size
		}
		raw = make([]int32, size.value)
		return library.layoutGroupRanks(layout, name, index, raw)
	})
	if err != nil {
		return nil, err
	}
	ranks := make([]int, len(raw))
	for i, rank := range raw {
		ranks[i] = int(rank)
	}
	return ranks, nil
}

// Groups returns all groups of a name, or of axes that are merged: "tp-cp". The text of ErrNotFound lists the names.
func (l *Layout) Groups(name string) ([][]int, error) {
	const op = "Layout.Groups"
	count, err := l.use(op, "name", name, func(layout unsafe.Pointer) status {
		return library.layoutGroupCount(layout, name)
	})
	if err != nil {
		return nil, err
	}
	groups := make([][]int, count.value)
	for index := range groups {
		if groups[index], err = l.group(op, name, index); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// GroupOf returns the index of the group of that name that has the rank, and the rank's place in it. ErrNotFound: the rank
// is in none.
func (l *Layout) GroupOf(name string, rank int) (group, place int, err error) {
	const op = "Layout.GroupOf"
	if err := checkNumbers(op, []string{"rank"}, rank); err != nil {
		return 0, 0, err
	}
	_, err = l.use(op, "name", name, func(layout unsafe.Pointer) (result status) {
		group, place, result = library.layoutFind(layout, name, int32(rank))
		return result
	})
	return group, place, err
}

// Coordinate returns the rank's coordinate on an axis. The text of ErrNotFound lists the axes.
func (l *Layout) Coordinate(axis string, rank int) (int, error) {
	const op = "Layout.Coordinate"
	if err := checkNumbers(op, []string{"rank"}, rank); err != nil {
		return 0, err
	}
	result, err := l.use(op, "axis", axis, func(layout unsafe.Pointer) status {
		return library.layoutCoordinate(layout, axis, int32(rank))
	})
	return int(result.value), err
}

// Describe returns JSON: spec, world, hash (hexadecimal text), axes, groups (name to lists of ranks), aliases.
func (l *Layout) Describe() (string, error) {
	var json string
	_, err := l.use("Layout.Describe", "", "", func(layout unsafe.Pointer) (result status) {
		json, result = library.layoutDescribe(layout)
		return result
	})
	return json, err
}

// Diff returns JSON: {"equal":true}, or the keys and groups that differ.
func (l *Layout) Diff(other *Layout) (string, error) {
	const op = "Layout.Diff"
	if other == nil || other.pointer == nil {
		return "", refuse(op, "other was not made by NewLayout")
	}
	defer runtime.KeepAlive(other)
	var json string
	_, err := l.use(op, "", "", func(layout unsafe.Pointer) (result status) {
		json, result = library.layoutDiff(layout, other.pointer)
		return result
	})
	return json, err
}

// Range is the numbers from Begin up to End, which is not of them.
type Range struct {
	Begin, End int
}

// String returns "[begin, end)".
func (r Range) String() string { return fmt.Sprintf("[%d, %d)", r.Begin, r.End) }

// PipelineLayers returns which layers each pipeline stage holds. What does not divide evenly goes by rule, "sglang" or
// "vllm", unless partition, which may be nil, gives each stage's number of layers.
func PipelineLayers(rule string, layers, stages int, partition []int) ([]Range, error) {
	const op = "PipelineLayers"
	if err := ready(op); err != nil {
		return nil, err
	}
	if err := checkText(op, "rule", rule); err != nil {
		return nil, err
	}
	if err := checkNumbers(op, []string{"stages"}, stages); err != nil {
		return nil, err
	}
	var shares []int64
	if partition != nil {
		if len(partition) != stages {
			return nil, refuse(op, "partition has %d shares; there are %d stages and each needs one", len(partition), stages)
		}
		for _, share := range partition {
			shares = append(shares, int64(share))
		}
	}
	boundaries := []int64{0} // enough for a number of stages that is refused
	if stages > 0 {
		boundaries = make([]int64, stages+1)
	}
	if err := library.pipelineLayers(rule, int64(layers), int32(stages), shares, boundaries).err(op); err != nil {
		return nil, err
	}
	ranges := make([]Range, stages)
	for stage := range ranges {
		ranges[stage] = Range{int(boundaries[stage]), int(boundaries[stage+1])}
	}
	return ranges, nil
}

// ShardRange returns part index of total in equal parts; ErrArgument, with numbers that would do, when parts does not
// divide total.
func ShardRange(total, parts, index int) (Range, error) {
	const op = "ShardRange"
	if err := ready(op); err != nil {
		return Range{}, err
	}
	if err := checkNumbers(op, []string{"parts", "index"}, parts, index); err != nil {
		return Range{}, err
	}
	shard, result := library.shardRange(int64(total), int32(parts), int32(index))
	return shard, result.err(op)
}
