package parallelstate

// The operations on blocks of different size. Counts and offsets are in elements, one for each rank of the group; nil
// offsets mean that the blocks are packed, one after another.

// AllGatherV is AllGather of parts of different size: counts and offsets cut recv, counts are equal on all ranks and the
// own one is len(send).
func AllGatherV[T Number](group *Group, send, recv []T, counts, offsets []int) error {
	return allGatherV(group, send, recv, counts, offsets, nil)
}

// AllGatherVAsync starts an AllGatherV.
func AllGatherVAsync[T Number](group *Group, send, recv []T, counts, offsets []int) (*Work, error) {
	return started(func(work **Work) error { return allGatherV(group, send, recv, counts, offsets, work) })
}

func allGatherV[T Number](group *Group, send, recv []T, counts, offsets []int, work **Work) error {
	const name = "AllGatherV"
	cut, err := group.checkBlocks(name, "recv", counts, offsets, len(recv))
	if err != nil {
		return err
	}
	if err := expectLength(name, "send", len(send), counts[group.info.Rank], "the own count"); err != nil {
		return err
	}
	return run(group, name, work, send, recv,
		operation{kind: kindAllGatherV, count: len(send), recvCounts: cut.counts, recvOffsets: cut.offsets})
}

// GatherV is Gather of parts of different size: counts and offsets cut root's recv, counts[r] is len(send) of rank r. All
// three are used at the root only.
func GatherV[T Number](group *Group, send, recv []T, counts, offsets []int, root int) error {
	return gatherV(group, send, recv, counts, offsets, root, nil)
}

// GatherVAsync starts a GatherV.
func GatherVAsync[T Number](group *Group, send, recv []T, counts, offsets []int, root int) (*Work, error) {
	return started(func(work **Work) error { return gatherV(group, send, recv, counts, offsets, root, work) })
}

func gatherV[T Number](group *Group, send, recv []T, counts, offsets []int, root int, work **Work) error {
	const name = "GatherV"
	call := operation{kind: kindGatherV, count: len(send), peer: root}
	if !group.has(root) {
		return run(group, name, work, send, nil, call)
	}
	cut, err := group.checkBlocks(name, "recv", counts, offsets, len(recv))
	if err != nil {
		return err
	}
	if err := expectLength(name, "send", len(send), counts[root], "the own count"); err != nil {
		return err
	}
	call.recvCounts, call.recvOffsets = cut.counts, cut.offsets
	return run(group, name, work, send, recv, call)
}

// ScatterV is Scatter of blocks of different size: counts and offsets cut root's send, counts[r] is len(recv) of rank r.
// All three are used at the root only.
func ScatterV[T Number](group *Group, send, recv []T, counts, offsets []int, root int) error {
	return scatterV(group, send, recv, counts, offsets, root, nil)
}

// ScatterVAsync starts a ScatterV.
func ScatterVAsync[T Number](group *Group, send, recv []T, counts, offsets []int, root int) (*Work, error) {
	return started(func(work **Work) error { return scatterV(group, send, recv, counts, offsets, root, work) })
}

func scatterV[T Number](group *Group, send, recv []T, counts, offsets []int, root int, work **Work) error {
	const name = "ScatterV"
	call := operation{kind: kindScatterV, recvCount: len(recv), peer: root}
	if !group.has(root) {
		return run(group, name, work, nil, recv, call)
	}
	cut, err := group.checkBlocks(name, "send", counts, offsets, len(send))
	if err != nil {
		return err
	}
	if err := expectLength(name, "recv", len(recv), counts[root], "the own count"); err != nil {
		return err
	}
	call.sendCounts, call.sendOffsets = cut.counts, cut.offsets
	return run(group, name, work, send, recv, call)
}

// ReduceScatterV is ReduceScatter into blocks of different size: counts are equal on all ranks, send holds their sum,
// packed, recv the own one.
func ReduceScatterV[T Number](group *Group, send, recv []T, counts []int, op ReduceOp) error {
	return reduceScatterV(group, send, recv, counts, op, nil)
}

// ReduceScatterVAsync starts a ReduceScatterV.
func ReduceScatterVAsync[T Number](group *Group, send, recv []T, counts []int, op ReduceOp) (*Work, error) {
	return started(func(work **Work) error { return reduceScatterV(group, send, recv, counts, op, work) })
}

func reduceScatterV[T Number](group *Group, send, recv []T, counts []int, op ReduceOp, work **Work) error {
	const name = "ReduceScatterV"
	cut, err := group.checkBlocks(name, "send", counts, nil, -1)
	if err != nil {
		return err
	}
	if err := expectLength(name, "send", len(send), cut.end, "the sum of counts"); err != nil {
		return err
	}
	if err := expectLength(name, "recv", len(recv), counts[group.info.Rank], "the own count"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindReduceScatterV, recvCounts: cut.counts, reduce: op})
}

// AllToAllV is AllToAll of blocks of different size: sendCounts[q] here is recvCounts of this rank on rank q. In place,
// when counts and offsets are equal: recv is send.
func AllToAllV[T Number](group *Group, send []T, sendCounts, sendOffsets []int, recv []T, recvCounts, recvOffsets []int) error {
	return allToAllV(group, send, sendCounts, sendOffsets, recv, recvCounts, recvOffsets, nil)
}

// AllToAllVAsync starts an AllToAllV.
func AllToAllVAsync[T Number](group *Group, send []T, sendCounts, sendOffsets []int, recv []T, recvCounts,
	recvOffsets []int) (*Work, error) {
	return started(func(work **Work) error {
		return allToAllV(group, send, sendCounts, sendOffsets, recv, recvCounts, recvOffsets, work)
	})
}

func allToAllV[T Number](group *Group, send []T, sendCounts, sendOffsets []int, recv []T, recvCounts, recvOffsets []int,
	work **Work) error {
	const name = "AllToAllV"
	sent, err := group.checkBlocks(name, "send", sendCounts, sendOffsets, len(send))
	if err != nil {
		return err
	}
	received, err := group.checkBlocks(name, "recv", recvCounts, recvOffsets, len(recv))
	if err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindAllToAllV, sendCounts: sent.counts,
		sendOffsets: sent.offsets, recvCounts: received.counts, recvOffsets: received.offsets})
}
