package table

import (
	"fmt"
	"strconv"
	"strings"
	"unsafe"

	ps "github.com/parallelstate/parallelstate/bindings/go"
)

// blocks makes the elements of blocks of the given counts; a single text serves for all blocks.
func blocks[T ps.Number](texts []string, counts []int) ([]T, error) {
	elements := []T{}
	for i, count := range counts {
		text := texts[0]
		if len(texts) > 1 {
			text = texts[i]
		}
		values, err := valuesOf[T](text)
		if err != nil {
			return nil, err
		}
		if len(values) == 0 && count > 0 {
			return nil, fmt.Errorf("block %d has no value for %d elements", i, count)
		}
		for at := 0; at < count; at++ {
			elements = append(elements, values[at%len(values)])
		}
	}
	return elements, nil
}

func valuesOf[T ps.Number](text string) ([]T, error) {
	if text == "-" {
		return nil, nil
	}
	var values []T
	for _, cell := range strings.Split(text, ",") {
		value, err := valueOf[T](cell)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func valueOf[T ps.Number](text string) (T, error) {
	var value T
	if strings.HasPrefix(text, "0x") {
		bits, err := strconv.ParseUint(text[2:], 16, int(unsafe.Sizeof(value))*8)
		for i := range bytesOf(&value) {
			bytesOf(&value)[i] = byte(bits >> (8 * i)) // little-endian, as all hosts of the library are
		}
		return value, err
	}
	switch any(value).(type) {
	case ps.Float16, ps.BFloat16, ps.Float8E4M3, ps.Float8E5M2:
		return value, fmt.Errorf("%s is to be written as bits", text)
	}
	if whole, err := strconv.ParseInt(text, 10, 64); err == nil {
		return T(whole), nil
	}
	number, err := strconv.ParseFloat(text, 64)
	return T(number), err
}

func bytesOf[T ps.Number](value *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(value)), int(unsafe.Sizeof(*value)))
}

// equal compares bits.
func equal[T ps.Number](a, b []T) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d elements instead of %d", len(a), len(b))
	}
	for i := range a {
		if string(bytesOf(&a[i])) != string(bytesOf(&b[i])) {
			return fmt.Errorf("element %d is %v instead of %v", i, a[i], b[i])
		}
	}
	return nil
}

// untouched is what outputs hold before an operation: bytes that no row expects.
func untouched[T ps.Number](count int) []T {
	values := make([]T, count)
	for i := range values {
		raw := bytesOf(&values[i])
		for at := range raw {
			raw[at] = 0x5a
		}
	}
	return values
}

func total(counts []int) int {
	sum := 0
	for _, count := range counts {
		sum += count
	}
	return sum
}

func repeated(count, times int) []int {
	counts := make([]int, times)
	for i := range counts {
		counts[i] = count
	}
	return counts
}
