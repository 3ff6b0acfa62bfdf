package table

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

// Run runs all rows as one rank of a world of four. It returns what failed, a line each.
func Run(context *ps.Context, rows []Row) (failures []string) {
	for _, row := range rows {
		if context.Rank() >= row.Ranks {
			continue
		}
		if err := runRow(context, row); err != nil {
			failures = append(failures, fmt.Sprintf("rank %d: %s: %v", context.Rank(), row.Name, err))
		}
	}
	return failures
}

func runRow(context *ps.Context, row Row) error {
	members := make([]int, row.Ranks)
	for i := range members {
		members[i] = i
	}
	group, err := context.NewGroup(members, &ps.GroupOptions{Name: row.Name})
	if err != nil {
		return err
	}
	defer group.Close()
	part, err := row.Part(group.Rank())
	if err != nil {
		return err
	}
	return runPart(group, part)
}

func runPart(group *ps.Group, part Part) error {
	switch part.DType {
	case "int8":
		return runAs[int8](group, part)
	case "int16":
		return runAs[int16](group, part)
	case "int32":
		return runAs[int32](group, part)
	case "int64":
		return runAs[int64](group, part)
	case "uint8":
		return runAs[uint8](group, part)
	case "uint16":
		return runAs[uint16](group, part)
	case "uint32":
		return runAs[uint32](group, part)
	case "uint64":
		return runAs[uint64](group, part)
	case "float16":
		return runAs[ps.Float16](group, part)
	case "bfloat16":
		return runAs[ps.BFloat16](group, part)
	case "float32", "-":
		return runAs[float32](group, part)
	case "float64":
		return runAs[float64](group, part)
	case "float8_e4m3":
		return runAs[ps.Float8E4M3](group, part)
	case "float8_e5m2":
		return runAs[ps.Float8E5M2](group, part)
	case "bool":
		return runAs[ps.Bool](group, part)
	}
	return fmt.Errorf("unknown data type %q", part.DType)
}

func runAs[T ps.Number](group *ps.Group, part Part) error {
	c, err := newCase[T](group, part)
	if err != nil {
		return err
	}
	if part.Result != "ok" {
		return c.refused()
	}
	if err := c.apart(); err != nil {
		return fmt.Errorf("out of place: %w", err)
	}
	if err := c.asynchronously(); err != nil {
		return fmt.Errorf("asynchronously: %w", err)
	}
	if err := c.inPlace(); err != nil {
		return fmt.Errorf("in place: %w", err)
	}
	return nil
}

// refused runs a row whose calls fail.
func (c *testCase[T]) refused() error {
	recv := untouched[T](total(c.recvCounts))
	err := c.call(c.input, recv)
	var code ps.Code
	if !errors.As(err, &code) || code.String() != c.part.Result {
		return fmt.Errorf("got %v instead of %s", err, c.part.Result)
	}
	if err := equal(recv, untouched[T](len(recv))); err != nil {
		return fmt.Errorf("the output was touched: %w", err)
	}
	return nil
}

func (c *testCase[T]) apart() error {
	send, recv := append([]T(nil), c.input...), untouched[T](len(c.output))
	if err := c.call(send, recv); err != nil {
		return err
	}
	if err := equal(send, c.input); err != nil {
		return fmt.Errorf("the input was changed: %w", err)
	}
	return equal(recv, c.output)
}

// asynchronously takes memory of Alloc, which every version of Go can.
func (c *testCase[T]) asynchronously() error {
	send, err := ps.Alloc[T](len(c.input))
	if err != nil {
		return err
	}
	defer send.Free()
	recv, err := ps.Alloc[T](len(c.output))
	if err != nil {
		return err
	}
	defer recv.Free()
	copy(send.Slice(), c.input)
	copy(recv.Slice(), untouched[T](len(c.output)))
	work, err := c.start(send.Slice(), recv.Slice())
	if err != nil {
		return err
	}
	if err := work.Wait(); err != nil {
		return err
	}
	return equal(recv.Slice(), c.output)
}

// inPlace runs with overlapping memory where the operation allows it, and else as apart.
func (c *testCase[T]) inPlace() error {
	send, recv := append([]T(nil), c.input...), untouched[T](len(c.output))
	rank, atRoot := c.group.Rank(), c.group.Rank() == c.part.Root
	ownSent, ownReceived := total(c.sendCounts[:min(rank, len(c.sendCounts))]), total(c.recvCounts[:min(rank, len(c.recvCounts))])
	switch operation := c.part.Operation; {
	case operation == "all_reduce", operation == "all_to_all", (operation == "reduce" || operation == "broadcast") && atRoot:
		recv = send
	case operation == "all_gather", operation == "all_gather_v",
		(operation == "gather" || operation == "gather_v") && atRoot:
		copy(recv[ownReceived:], send)
		send = recv[ownReceived : ownReceived+len(send)]
	case operation == "reduce_scatter", operation == "reduce_scatter_v",
		(operation == "scatter" || operation == "scatter_v") && atRoot:
		recv = send[ownSent : ownSent+len(recv)]
	}
	if err := c.call(send, recv); err != nil {
		return err
	}
	return equal(recv, c.output)
}

func reduction[T ps.Number](group *ps.Group, text string) (ps.ReduceOp, error) {
	if scalar := strings.TrimPrefix(text, "premul_sum="); scalar != text {
		value, err := strconv.ParseFloat(scalar, 64)
		if err != nil {
			return 0, err
		}
		return ps.NewPremulSum[T](group, value)
	}
	op, known := map[string]ps.ReduceOp{
		"-": 0, "sum": ps.Sum, "product": ps.Product, "min": ps.Min, "max": ps.Max, "avg": ps.Avg,
		"bit_and": ps.BitAnd, "bit_or": ps.BitOr, "bit_xor": ps.BitXor,
		"logical_and": ps.LogicalAnd, "logical_or": ps.LogicalOr, "logical_xor": ps.LogicalXor,
	}[text]
	if !known {
		return 0, fmt.Errorf("unknown reduction %q", text)
	}
	return op, nil
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
