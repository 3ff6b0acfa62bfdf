package parallelstate

// AllReduce reduces over the ranks, on every rank. In place: recv is send.
func AllReduce[T Number](group *Group, send, recv []T, op ReduceOp) error {
	return allReduce(group, send, recv, op, nil)
}

// AllReduceAsync starts an AllReduce.
func AllReduceAsync[T Number](group *Group, send, recv []T, op ReduceOp) (*Work, error) {
	return started(func(work **Work) error { return allReduce(group, send, recv, op, work) })
}

func allReduce[T Number](group *Group, send, recv []T, op ReduceOp, work **Work) error {
	const name = "AllReduce"
	if err := expectLength(name, "recv", len(recv), len(send), "as many as send"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindAllReduce, count: len(send), reduce: op})
}

// Reduce reduces to root. Elsewhere recv is not used and may be nil. In place at the root: recv is send.
func Reduce[T Number](group *Group, send, recv []T, op ReduceOp, root int) error {
	return reduce(group, send, recv, op, root, nil)
}

// ReduceAsync starts a Reduce.
func ReduceAsync[T Number](group *Group, send, recv []T, op ReduceOp, root int) (*Work, error) {
	return started(func(work **Work) error { return reduce(group, send, recv, op, root, work) })
}

func reduce[T Number](group *Group, send, recv []T, op ReduceOp, root int, work **Work) error {
	const name = "Reduce"
	if !group.has(root) {
		recv = nil
	} else if err := expectLength(name, "recv", len(recv), len(send), "as many as send"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindReduce, count: len(send), reduce: op, peer: root})
}

// Broadcast copies root's send to recv on every rank. Elsewhere send is not used and may be nil. In place at the root:
// recv is send.
func Broadcast[T Number](group *Group, send, recv []T, root int) error {
	return broadcast(group, send, recv, root, nil)
}

// BroadcastAsync starts a Broadcast.
func BroadcastAsync[T Number](group *Group, send, recv []T, root int) (*Work, error) {
	return started(func(work **Work) error { return broadcast(group, send, recv, root, work) })
}

func broadcast[T Number](group *Group, send, recv []T, root int, work **Work) error {
	const name = "Broadcast"
	if !group.has(root) {
		send = nil
	} else if err := expectLength(name, "recv", len(recv), len(send), "as many as send"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindBroadcast, count: len(recv), peer: root})
}

// AllGather gathers every rank's send, in group order, in every rank's recv. In place: send is the own block of recv.
func AllGather[T Number](group *Group, send, recv []T) error {
	return allGather(group, send, recv, nil)
}

// AllGatherAsync starts an AllGather.
func AllGatherAsync[T Number](group *Group, send, recv []T) (*Work, error) {
	return started(func(work **Work) error { return allGather(group, send, recv, work) })
}

func allGather[T Number](group *Group, send, recv []T, work **Work) error {
	const name = "AllGather"
	if err := expectLength(name, "recv", len(recv), len(send)*group.info.Size, "send's from each rank"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindAllGather, count: len(send)})
}

// Gather gathers every rank's send, in group order, in root's recv. Elsewhere recv is not used and may be nil. In place at
// the root: send is the own block of recv.
func Gather[T Number](group *Group, send, recv []T, root int) error {
	return gather(group, send, recv, root, nil)
}

// GatherAsync starts a Gather.
func GatherAsync[T Number](group *Group, send, recv []T, root int) (*Work, error) {
	return started(func(work **Work) error { return gather(group, send, recv, root, work) })
}

func gather[T Number](group *Group, send, recv []T, root int, work **Work) error {
	const name = "Gather"
	if !group.has(root) {
		recv = nil
	} else if err := expectLength(name, "recv", len(recv), len(send)*group.info.Size, "send's from each rank"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindGather, count: len(send), peer: root})
}

// Scatter copies block q of root's send to recv of rank q. Elsewhere send is not used and may be nil. In place at the
// root: recv is the own block of send.
func Scatter[T Number](group *Group, send, recv []T, root int) error {
	return scatter(group, send, recv, root, nil)
}

// ScatterAsync starts a Scatter.
func ScatterAsync[T Number](group *Group, send, recv []T, root int) (*Work, error) {
	return started(func(work **Work) error { return scatter(group, send, recv, root, work) })
}

func scatter[T Number](group *Group, send, recv []T, root int, work **Work) error {
	const name = "Scatter"
	if !group.has(root) {
		send = nil
	} else if err := expectLength(name, "send", len(send), len(recv)*group.info.Size, "recv's for each rank"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindScatter, count: len(recv), peer: root})
}

// ReduceScatter reduces over the ranks and leaves block q in recv of rank q. In place: recv is the own block of send.
func ReduceScatter[T Number](group *Group, send, recv []T, op ReduceOp) error {
	return reduceScatter(group, send, recv, op, nil)
}

// ReduceScatterAsync starts a ReduceScatter.
func ReduceScatterAsync[T Number](group *Group, send, recv []T, op ReduceOp) (*Work, error) {
	return started(func(work **Work) error { return reduceScatter(group, send, recv, op, work) })
}

func reduceScatter[T Number](group *Group, send, recv []T, op ReduceOp, work **Work) error {
	const name = "ReduceScatter"
	if err := expectLength(name, "send", len(send), len(recv)*group.info.Size, "recv's for each rank"); err != nil {
		return err
	}
	return run(group, name, work, send, recv, operation{kind: kindReduceScatter, count: len(recv), reduce: op})
}

// AllToAll copies block q of send to rank q, as block of this rank in its recv. In place: recv is send.
func AllToAll[T Number](group *Group, send, recv []T) error { return allToAll(group, send, recv, nil) }

// AllToAllAsync starts an AllToAll.
func AllToAllAsync[T Number](group *Group, send, recv []T) (*Work, error) {
	return started(func(work **Work) error { return allToAll(group, send, recv, work) })
}

func allToAll[T Number](group *Group, send, recv []T, work **Work) error {
	const name = "AllToAll"
	if err := expectLength(name, "recv", len(recv), len(send), "as many as send"); err != nil {
		return err
	}
	if group.info.Size > 0 && len(send)%group.info.Size != 0 {
		return refuse(name, "send has %d elements, which is not %d equal blocks", len(send), group.info.Size)
	}
	call := operation{kind: kindAllToAll}
	if group.info.Size > 0 {
		call.count = len(send) / group.info.Size
	}
	return run(group, name, work, send, recv, call)
}

// Barrier returns when all members have called it. It does not wait for streams of devices.
func (g *Group) Barrier() error { return g.start("Barrier", nil, operation{kind: kindBarrier}) }

// BarrierAsync starts a Barrier: with it and Work.WaitTimeout one waits for a time that harms nothing.
func (g *Group) BarrierAsync() (*Work, error) {
	return started(func(work **Work) error { return g.start("Barrier", work, operation{kind: kindBarrier}) })
}
