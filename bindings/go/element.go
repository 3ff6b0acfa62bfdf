package parallelstate

import (
	"reflect"
	"unsafe"
)

// Float16 is an IEEE 754 binary16 number as its bits. Go's operators on it act on the bits: convert with Float32.
type Float16 uint16

// BFloat16 is a bfloat16 number as its bits. Go's operators on it act on the bits: convert with Float32.
type BFloat16 uint16

// Float8E4M3 is an OCP e4m3fn number as its bits.
type Float8E4M3 uint8

// Float8E5M2 is an OCP e5m2 number as its bits.
type Float8E5M2 uint8

// Bool is the library's truth value: a byte that is true when it is not zero. Go's own bool is not a [Number], because a
// bool that holds any other byte than 0 or 1 is undefined in Go, and ranks in other languages may send such bytes.
// (Reductions write 0 or 1.)
type Bool uint8

// BoolOf converts from Go's bool.
func BoolOf(value bool) Bool {
	if value {
		return 1
	}
	return 0
}

// Bool converts to Go's bool: any byte but 0 is true.
func (b Bool) Bool() bool { return b != 0 }

// Number is what buffers consist of. Float16, BFloat16, Float8E4M3, Float8E5M2 and Bool are the data types of their names,
// exactly these five: a type defined from one of them is the unsigned integer that it is made of, like any other type
// whose underlying type is an integer. int and uint have 64 bits.
type Number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~int |
		~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uint |
		~float32 | ~float64
}

// DataTypeOf returns the library's data type of T.
func DataTypeOf[T Number]() DataType {
	var zero T
	switch any(zero).(type) {
	case Float16:
		return TypeFloat16
	case BFloat16:
		return TypeBFloat16
	case Float8E4M3:
		return TypeFloat8E4M3
	case Float8E5M2:
		return TypeFloat8E5M2
	case Bool:
		return TypeBool
	}
	switch reflect.TypeOf(zero).Kind() {
	case reflect.Int8:
		return TypeInt8
	case reflect.Int16:
		return TypeInt16
	case reflect.Int32:
		return TypeInt32
	case reflect.Int64, reflect.Int:
		return TypeInt64
	case reflect.Uint8:
		return TypeUint8
	case reflect.Uint16:
		return TypeUint16
	case reflect.Uint32:
		return TypeUint32
	case reflect.Uint64, reflect.Uint:
		return TypeUint64
	case reflect.Float32:
		return TypeFloat32
	case reflect.Float64:
		return TypeFloat64
	}
	return 0 // no type of the constraint gets here
}

// The library is for 64-bit targets, and so int and uint are its 64-bit types.
var _ [unsafe.Sizeof(int(0)) - 8]struct{}

// span is a slice's memory. The pointer keeps it alive.
type span struct {
	pointer unsafe.Pointer
	bytes   uintptr
}

func spanOf[T Number](slice []T) span {
	if len(slice) == 0 {
		return span{}
	}
	return span{unsafe.Pointer(&slice[0]), uintptr(len(slice)) * unsafe.Sizeof(slice[0])}
}
