package photo

import (
	"encoding/binary"

	"nstfilter/filter"
)

// packSamples rounds f to interleaved pixels of 8 bits, or of 16 in the byte order. Alpha is
// the last band if it is asked for and f has it; if it is not asked for, white shows through.
func packSamples(f *filter.Frame, bits int, alpha bool, order binary.ByteOrder) (pix []byte, bands int) {
	bands = 3
	keep := alpha && f.Alpha != nil
	if keep {
		bands = 4
	}
	n := f.W * f.H
	pix = make([]byte, n*bands*bits/8)
	top := float32(int(1)<<bits - 1)
	for p := range n {
		for b := range bands {
			var v float32
			switch {
			case b == 3:
				v = f.Alpha[p]
			case f.Alpha != nil && !keep:
				v = f.Alpha[p]*f.Pix[b*n+p] + 1 - f.Alpha[p]
			default:
				v = f.Pix[b*n+p]
			}
			v = min(max(v, 0), 1)*top + 0.5
			if v != v {
				v = 0 // it is NaN
			}
			if i := p*bands + b; bits == 8 {
				pix[i] = byte(v)
			} else {
				order.PutUint16(pix[2*i:], uint16(v))
			}
		}
	}
	return pix, bands
}
