package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"slices"
	"strings"
)

// array is a tensor to be written.
type array struct {
	name  string
	dtype DType // F32 or F16
	shape []int
	data  []float32
}

// encodeSafetensors writes a file: F32 before F16, so that all are aligned.
func encodeSafetensors(w io.Writer, arrays []array, metadata map[string]string) error {
	arrays = slices.Clone(arrays)
	slices.SortFunc(arrays, func(a, b array) int {
		if a.dtype != b.dtype {
			return -strings.Compare(string(a.dtype), string(b.dtype))
		}
		return strings.Compare(a.name, b.name)
	})
	header, at := map[string]any{"__metadata__": metadata}, uint64(0) // Marshal sorts the keys
	for _, a := range arrays {
		e := entry{DType: a.dtype, Shape: []uint64{}}
		for _, d := range a.shape {
			e.Shape = append(e.Shape, uint64(d))
		}
		end := at + a.dtype.size()*uint64(len(a.data))
		e.Offsets = []uint64{at, end}
		header[a.name], at = e, end
	}
	text, err := json.Marshal(header)
	if err != nil {
		return err
	}
	text = append(text, bytes.Repeat([]byte{' '}, -len(text)&7)...)
	if err := binary.Write(w, binary.LittleEndian, uint64(len(text))); err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	for _, a := range arrays {
		if err := a.encode(w); err != nil {
			return err
		}
	}
	return nil
}

func (a *array) encode(w io.Writer) error {
	out := make([]byte, 0, a.dtype.size()*uint64(len(a.data)))
	for _, v := range a.data {
		if a.dtype == F32 {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
			continue
		}
		out = binary.LittleEndian.AppendUint16(out, floatToHalf(v))
	}
	_, err := w.Write(out)
	return err
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
