package parallelstate

import "unsafe"

// Send sends to dst, which Next and Prev can be. It may return before the message is received; never rely on it.
func Send[T Number](group *Group, send []T, dst, tag int) error {
	return sendTo(group, send, dst, tag, nil)
}

// SendAsync starts a Send.
func SendAsync[T Number](group *Group, send []T, dst, tag int) (*Work, error) {
	return started(func(work **Work) error { return sendTo(group, send, dst, tag, work) })
}

func sendTo[T Number](group *Group, send []T, dst, tag int, work **Work) error {
	return run(group, "Send", work, send, nil, operation{kind: kindSend, count: len(send), peer: dst, tag: tag})
}

// Recv receives from src, which Next and Prev can be. Length and type must equal the sender's.
func Recv[T Number](group *Group, recv []T, src, tag int) error {
	return recvFrom(group, recv, src, tag, nil)
}

// RecvAsync starts a Recv.
func RecvAsync[T Number](group *Group, recv []T, src, tag int) (*Work, error) {
	return started(func(work **Work) error { return recvFrom(group, recv, src, tag, work) })
}

func recvFrom[T Number](group *Group, recv []T, src, tag int, work **Work) error {
	return run(group, "Recv", work, nil, recv, operation{kind: kindRecv, recvCount: len(recv), src: src, tag: tag})
}

// SendRecv sends to dst and receives from src at once, free of deadlock in a ring. The slices must not overlap.
func SendRecv[T Number](group *Group, send []T, dst int, recv []T, src, tag int) error {
	return sendRecv(group, send, dst, recv, src, tag, nil)
}

// SendRecvAsync starts a SendRecv.
func SendRecvAsync[T Number](group *Group, send []T, dst int, recv []T, src, tag int) (*Work, error) {
	return started(func(work **Work) error { return sendRecv(group, send, dst, recv, src, tag, work) })
}

func sendRecv[T Number](group *Group, send []T, dst int, recv []T, src, tag int, work **Work) error {
	return run(group, "SendRecv", work, send, recv,
		operation{kind: kindSendRecv, count: len(send), recvCount: len(recv), peer: dst, src: src, tag: tag})
}

// Message is one entry of a Batch, made by SendMessage, RecvMessage or PointerMessage.
type Message struct {
	direction Direction
	memory    span
	count     int
	dtype     DataType
	peer      int
	tag       int
	raw       bool // memory of the caller alone
}

// SendMessage is a Send as an entry of a Batch.
func SendMessage[T Number](send []T, dst, tag int) Message {
	return Message{DirectionSend, spanOf(send), len(send), DataTypeOf[T](), dst, tag, false}
}

// RecvMessage is a Recv as an entry of a Batch.
func RecvMessage[T Number](recv []T, src, tag int) Message {
	return Message{DirectionRecv, spanOf(recv), len(recv), DataTypeOf[T](), src, tag, false}
}

// PointerMessage is an entry of a Batch with an address of memory that is not Go's, such as a device's.
func PointerMessage(direction Direction, memory unsafe.Pointer, count int, dtype DataType, peer, tag int) Message {
	return Message{direction, span{pointer: memory}, count, dtype, peer, tag, true}
}

// Batch starts all messages together and returns when all are complete. The order within a (peer, tag) is theirs. They
// must not overlap.
func (g *Group) Batch(messages ...Message) error { return g.batch(messages, nil, nil) }

// BatchAsync starts a Batch.
func (g *Group) BatchAsync(messages ...Message) (*Work, error) {
	return started(func(work **Work) error { return g.batch(messages, nil, work) })
}

func (g *Group) batch(messages []Message, stream unsafe.Pointer, work **Work) error {
	const op = "Batch"
	for _, message := range messages {
		if err := checkNumbers(op, []string{"peer", "tag"}, message.peer, message.tag); err != nil {
			return err
		}
		if message.count < 0 {
			return refuse(op, "count %d is negative", message.count)
		}
	}
	if work == nil && !PinsGoMemory {
		return g.batchByCopies(messages, stream)
	}
	return g.submitBatch(op, messages, stream, work)
}

// submitBatch hands over addresses inside of an array, to which cgo's rules allow memory of Go only when it is pinned,
// also for a call that blocks.
func (g *Group) submitBatch(op string, messages []Message, stream unsafe.Pointer, work **Work) error {
	spans := make([]span, 0, len(messages))
	for _, message := range messages {
		if !message.raw {
			spans = append(spans, message.memory)
		}
	}
	return g.submit(op, work, spans, true, func(group unsafe.Pointer, asynchronous bool) status {
		return library.batch(group, messages, stream, asynchronous)
	})
}

// batchByCopies is a blocking batch where Go cannot pin memory: through memory of C.
func (g *Group) batchByCopies(messages []Message, stream unsafe.Pointer) error {
	copies := append([]Message(nil), messages...)
	var buffers []*Buffer[byte]
	defer func() {
		for _, buffer := range buffers {
			buffer.Free()
		}
	}()
	for i, message := range messages {
		if message.raw || message.memory.pointer == nil {
			continue
		}
		buffer, err := Alloc[byte](int(message.memory.bytes))
		if err != nil {
			return err
		}
		buffers = append(buffers, buffer)
		copies[i].memory = spanOf(buffer.Slice())
		if message.direction == DirectionSend {
			copyMemory(copies[i].memory, message.memory)
		}
	}
	if err := g.submitBatch("Batch", copies, stream, nil); err != nil {
		return err
	}
	for i, message := range messages {
		if message.direction == DirectionRecv && !message.raw {
			copyMemory(message.memory, copies[i].memory)
		}
	}
	return nil
}

func copyMemory(to, from span) {
	copy(unsafe.Slice((*byte)(to.pointer), int(to.bytes)), unsafe.Slice((*byte)(from.pointer), int(from.bytes)))
}
