package parallelstate

import "math"

// Float16Of rounds to the nearest Float16, ties to even; what is too large becomes an infinity.
func Float16Of(value float32) Float16 {
	bits := math.Float32bits(value)
	sign := Float16(bits >> 16 & 0x8000)
	magnitude := bits & 0x7fffffff
	switch {
	case magnitude > 0x7f800000:
		return sign | 0x7e00 | Float16(magnitude>>13&0x1ff)
	case magnitude >= 0x477ff000: // halfway between the largest and the next power of two, or more
		return sign | 0x7c00
	case magnitude >= 0x38800000:
		return sign | Float16(roundedShift(magnitude-0x38000000, 13))
	case magnitude < 0x33000000: // below half of the smallest subnormal
		return sign
	}
	shift := 126 - magnitude>>23
	return sign | Float16(roundedShift(magnitude&0x7fffff|0x800000, shift))
}

// Float32 converts exactly.
func (f Float16) Float32() float32 {
	sign := uint32(f&0x8000) << 16
	exponent, fraction := uint32(f>>10&0x1f), uint32(f&0x3ff)
	switch exponent {
	case 0:
		value := float32(fraction) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(value) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// BFloat16Of rounds to the nearest BFloat16, ties to even.
func BFloat16Of(value float32) BFloat16 {
	bits := math.Float32bits(value)
	if bits&0x7fffffff > 0x7f800000 {
		return BFloat16(bits>>16) | 0x40
	}
	return BFloat16(roundedShift(bits, 16))
}

// Float32 converts exactly.
func (f BFloat16) Float32() float32 { return math.Float32frombits(uint32(f) << 16) }

// roundedShift is bits >> shift, rounded to nearest, ties to even; a carry goes on into the higher bits.
func roundedShift(bits, shift uint32) uint32 {
	result, rest, half := bits>>shift, bits&(1<<shift-1), uint32(1)<<(shift-1)
	if rest > half || rest == half && result&1 == 1 {
		result++
	}
	return result
}
