package parallelstate

import (
	"math"
	"testing"
)

type (
	myInt   int32
	myFloat float64
	myBytes uint8
	myHalf  Float16
)

func expectType[T Number](t *testing.T, expected DataType) {
	t.Helper()
	if found := DataTypeOf[T](); found != expected {
		var zero T
		t.Errorf("%T is data type %d, not %d", zero, found, expected)
	}
}

func TestDataTypes(t *testing.T) {
	expectType[int8](t, TypeInt8)
	expectType[int16](t, TypeInt16)
	expectType[int32](t, TypeInt32)
	expectType[rune](t, TypeInt32)
	expectType[int64](t, TypeInt64)
	expectType[int](t, TypeInt64)
	expectType[uint8](t, TypeUint8)
	expectType[byte](t, TypeUint8)
	expectType[uint16](t, TypeUint16)
	expectType[uint32](t, TypeUint32)
	expectType[uint64](t, TypeUint64)
	expectType[uint](t, TypeUint64)
	expectType[float32](t, TypeFloat32)
	expectType[float64](t, TypeFloat64)
	expectType[Float16](t, TypeFloat16)
	expectType[BFloat16](t, TypeBFloat16)
	expectType[Float8E4M3](t, TypeFloat8E4M3)
	expectType[Float8E5M2](t, TypeFloat8E5M2)
	expectType[Bool](t, TypeBool)
	expectType[myInt](t, TypeInt32)
	expectType[myFloat](t, TypeFloat64)
	expectType[myBytes](t, TypeUint8)
	expectType[myHalf](t, TypeUint16)
}

func TestBool(t *testing.T) {
	if BoolOf(true) != 1 || BoolOf(false) != 0 || !Bool(200).Bool() || Bool(0).Bool() {
		t.Error("any byte but 0 is true")
	}
}

// Every 16-bit float survives the way to float32 and back, and what lies between two goes to the nearer one, in a tie to
// the even one.
func TestHalves(t *testing.T) {
	for bits := 0; bits < 1<<16; bits++ {
		checkHalf(t, uint16(bits), 0x7c00, func(b uint16) float32 { return Float16(b).Float32() },
			func(f float32) uint16 { return uint16(Float16Of(f)) })
		checkHalf(t, uint16(bits), 0x7f80, func(b uint16) float32 { return BFloat16(b).Float32() },
			func(f float32) uint16 { return uint16(BFloat16Of(f)) })
		if t.Failed() {
			return
		}
	}
}

func checkHalf(t *testing.T, bits, infinity uint16, widen func(uint16) float32, narrow func(float32) uint16) {
	t.Helper()
	value := widen(bits)
	magnitude := bits &^ 0x8000
	if magnitude > infinity {
		if !math.IsNaN(float64(value)) || !math.IsNaN(float64(widen(narrow(value)))) {
			t.Errorf("%#x is not kept a NaN", bits)
		}
		return
	}
	if found := narrow(value); found != bits {
		t.Errorf("%#x became %v and then %#x", bits, value, found)
	}
	if magnitude+1 >= infinity {
		return
	}
	middle := float32((float64(value) + float64(widen(bits+1))) / 2)
	even := bits + bits&1
	if found := narrow(middle); found != even {
		t.Errorf("%v, between %#x and the next, became %#x, not %#x", middle, bits, found, even)
	}
	lower, upper := math.Float32frombits(math.Float32bits(middle)-1), math.Float32frombits(math.Float32bits(middle)+1)
	if narrow(lower) != bits || narrow(upper) != bits+1 {
		t.Errorf("%v and %v, around the middle, became %#x and %#x", lower, upper, narrow(lower), narrow(upper))
	}
}

func TestHalfOverflow(t *testing.T) {
	if Float16Of(65519.9).Float32() != 65504 || !math.IsInf(float64(Float16Of(65520).Float32()), 1) ||
		!math.IsInf(float64(Float16Of(-1e30).Float32()), -1) || Float16Of(1e-30) != 0 || Float16Of(-1e-30) != 0x8000 {
		t.Error("Float16 overflows or underflows wrongly")
	}
	if !math.IsInf(float64(BFloat16Of(math.MaxFloat32).Float32()), 1) {
		t.Error("BFloat16 does not round up to infinity")
	}
}
