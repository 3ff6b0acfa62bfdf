package parallelstate

import "unsafe"

// Pointers are the operations on raw memory: that of a device, in order with its stream, or of the host. They mirror the C
// interface; the package checks no sizes and keeps no memory. With work nil they return when the data is there (device
// memory: when the operation is in the stream); else they return at once and *work observes the operation. Memory of Go is
// not for the latter.
type Pointers struct {
	group  *Group
	stream unsafe.Pointer
}

// Pointers gives the operations on raw memory. stream is for device memory, nil its default stream; host memory ignores it.
func (g *Group) Pointers(stream unsafe.Pointer) Pointers { return Pointers{g, stream} }

// Address converts the address of device memory, or a stream, from a number.
func Address(number uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&number)) }

func (p Pointers) start(op string, work **Work, call operation) error {
	call.stream = p.stream
	return p.group.start(op, work, call)
}

// AllReduce is psAllReduce.
func (p Pointers) AllReduce(send, recv unsafe.Pointer, count int, dtype DataType, op ReduceOp, work **Work) error {
	return p.start("AllReduce", work,
		operation{kind: kindAllReduce, send: send, recv: recv, count: count, dtype: dtype, reduce: op})
}

// Reduce is psReduce.
func (p Pointers) Reduce(send, recv unsafe.Pointer, count int, dtype DataType, op ReduceOp, root int, work **Work) error {
	return p.start("Reduce", work,
		operation{kind: kindReduce, send: send, recv: recv, count: count, dtype: dtype, reduce: op, peer: root})
}

// Broadcast is psBroadcast.
func (p Pointers) Broadcast(send, recv unsafe.Pointer, count int, dtype DataType, root int, work **Work) error {
	return p.start("Broadcast", work,
		operation{kind: kindBroadcast, send: send, recv: recv, count: count, dtype: dtype, peer: root})
}

// AllGather is psAllGather.
func (p Pointers) AllGather(send, recv unsafe.Pointer, count int, dtype DataType, work **Work) error {
	return p.start("AllGather", work, operation{kind: kindAllGather, send: send, recv: recv, count: count, dtype: dtype})
}

// AllGatherV is psAllGatherV.
func (p Pointers) AllGatherV(send unsafe.Pointer, sendCount int, recv unsafe.Pointer, recvCounts, recvOffsets []int,
	dtype DataType, work **Work) error {
	cut, err := p.group.checkBlocks("AllGatherV", "recv", recvCounts, recvOffsets, -1)
	if err != nil {
		return err
	}
	return p.start("AllGatherV", work, operation{kind: kindAllGatherV, send: send, recv: recv, count: sendCount,
		recvCounts: cut.counts, recvOffsets: cut.offsets, dtype: dtype})
}

// Gather is psGather.
func (p Pointers) Gather(send, recv unsafe.Pointer, count int, dtype DataType, root int, work **Work) error {
	return p.start("Gather", work,
		operation{kind: kindGather, send: send, recv: recv, count: count, dtype: dtype, peer: root})
}

// GatherV is psGatherV. recv, recvCounts and recvOffsets are used at the root only.
func (p Pointers) GatherV(send unsafe.Pointer, sendCount int, recv unsafe.Pointer, recvCounts, recvOffsets []int,
	dtype DataType, root int, work **Work) error {
	call := operation{kind: kindGatherV, send: send, recv: recv, count: sendCount, dtype: dtype, peer: root}
	if p.group.has(root) {
		cut, err := p.group.checkBlocks("GatherV", "recv", recvCounts, recvOffsets, -1)
		if err != nil {
			return err
		}
		call.recvCounts, call.recvOffsets = cut.counts, cut.offsets
	}
	return p.start("GatherV", work, call)
}

// Scatter is psScatter.
func (p Pointers) Scatter(send, recv unsafe.Pointer, count int, dtype DataType, root int, work **Work) error {
	return p.start("Scatter", work,
		operation{kind: kindScatter, send: send, recv: recv, count: count, dtype: dtype, peer: root})
}

// ScatterV is psScatterV. send, sendCounts and sendOffsets are used at the root only.
func (p Pointers) ScatterV(send unsafe.Pointer, sendCounts, sendOffsets []int, recv unsafe.Pointer, recvCount int,
	dtype DataType, root int, work **Work) error {
	call := operation{kind: kindScatterV, send: send, recv: recv, recvCount: recvCount, dtype: dtype, peer: root}
	if p.group.has(root) {
		cut, err := p.group.checkBlocks("ScatterV", "send", sendCounts, sendOffsets, -1)
		if err != nil {
			return err
		}
		call.sendCounts, call.sendOffsets = cut.counts, cut.offsets
	}
	return p.start("ScatterV", work, call)
}

// ReduceScatter is psReduceScatter.
func (p Pointers) ReduceScatter(send, recv unsafe.Pointer, count int, dtype DataType, op ReduceOp, work **Work) error {
	return p.start("ReduceScatter", work,
		operation{kind: kindReduceScatter, send: send, recv: recv, count: count, dtype: dtype, reduce: op})
}

// ReduceScatterV is psReduceScatterV.
func (p Pointers) ReduceScatterV(send, recv unsafe.Pointer, counts []int, dtype DataType, op ReduceOp, work **Work) error {
	cut, err := p.group.checkBlocks("ReduceScatterV", "send", counts, nil, -1)
	if err != nil {
		return err
	}
	return p.start("ReduceScatterV", work, operation{kind: kindReduceScatterV, send: send, recv: recv,
		recvCounts: cut.counts, dtype: dtype, reduce: op})
}

// AllToAll is psAllToAll.
func (p Pointers) AllToAll(send, recv unsafe.Pointer, count int, dtype DataType, work **Work) error {
	return p.start("AllToAll", work, operation{kind: kindAllToAll, send: send, recv: recv, count: count, dtype: dtype})
}

// AllToAllV is psAllToAllV.
func (p Pointers) AllToAllV(send unsafe.Pointer, sendCounts, sendOffsets []int, recv unsafe.Pointer, recvCounts,
	recvOffsets []int, dtype DataType, work **Work) error {
	sent, err := p.group.checkBlocks("AllToAllV", "send", sendCounts, sendOffsets, -1)
	if err != nil {
		return err
	}
	received, err := p.group.checkBlocks("AllToAllV", "recv", recvCounts, recvOffsets, -1)
	if err != nil {
		return err
	}
	return p.start("AllToAllV", work, operation{kind: kindAllToAllV, send: send, sendCounts: sent.counts,
		sendOffsets: sent.offsets, recv: recv, recvCounts: received.counts, recvOffsets: received.offsets, dtype: dtype})
}

// Send is psSend.
func (p Pointers) Send(send unsafe.Pointer, count int, dtype DataType, dst, tag int, work **Work) error {
	return p.start("Send", work, operation{kind: kindSend, send: send, count: count, dtype: dtype, peer: dst, tag: tag})
}

// Recv is psRecv.
func (p Pointers) Recv(recv unsafe.Pointer, count int, dtype DataType, src, tag int, work **Work) error {
	return p.start("Recv", work, operation{kind: kindRecv, recv: recv, recvCount: count, dtype: dtype, src: src, tag: tag})
}

// SendRecv is psSendRecv.
func (p Pointers) SendRecv(send unsafe.Pointer, sendCount, dst int, recv unsafe.Pointer, recvCount, src int,
	dtype DataType, tag int, work **Work) error {
	return p.start("SendRecv", work, operation{kind: kindSendRecv, send: send, count: sendCount, peer: dst, recv: recv,
		recvCount: recvCount, src: src, dtype: dtype, tag: tag})
}

// Batch is psBatch.
func (p Pointers) Batch(messages []Message, work **Work) error {
	return p.group.batch(messages, p.stream, work)
}
