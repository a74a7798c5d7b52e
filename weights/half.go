package weights

import "math"

// halfToFloat widens an IEEE 754 binary16.
func halfToFloat(h uint16) float32 {
	sign := uint32(h>>15) << 31
	exponent, fraction := uint32(h>>10)&31, uint32(h)&0x3ff
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴, exact in float32
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)*0x1p-24))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+112)<<23 | fraction<<13)
}

// floatToHalf rounds to the nearest binary16, ties to even; what is too large
// becomes infinite.
func floatToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign, magnitude := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case magnitude > 0xff<<23:
		return sign | 0x7e00 // not a number
	case magnitude >= 0x477ff000: // 65520, halfway from the largest half to 2¹⁶
		return sign | 0x7c00
	case magnitude < 0x38800000: // below 2⁻¹⁴: a multiple of 2⁻²⁴
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(magnitude))*0x1p24))
	}
	magnitude += 0xfff + magnitude>>13&1 // a carry moves into the exponent, as it should
	return sign | uint16(magnitude>>13-112<<10)
}
