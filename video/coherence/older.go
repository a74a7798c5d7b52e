package coherence

import "nstfilter/filter"

// olderFrame is a frame before the latest two, in 8 bits: it only serves to find what
// no later frame shows.
type olderFrame struct {
	head   *filter.Frame // the frame without Pix
	pix    []uint8
	age    []uint8 // of its pixels; nil: all are old
	labels []uint8 // their regions; nil: there are none
	bins   histogram
	camera *camera // motion from the latest frame to this one; nil: not known
}

// olderResult is the result of an olderFrame, also in 8 bits.
type olderResult struct {
	head *filter.Frame // the result without Pix
	pix  []uint8
}

func newOlderFrame(mem *pool, f *filter.Frame, age []float32, labels []uint8, c *camera) *olderFrame {
	o := &olderFrame{head: head(f), pix: quantize(mem, f.Pix, 255), labels: labels, camera: c}
	o.bins = newHistogram8(mem, o.pix)
	if age != nil {
		o.age = quantize(mem, age, 1)
	}
	return o
}

func newOlderResult(mem *pool, f *filter.Frame) *olderResult {
	return &olderResult{head(f), quantize(mem, f.Pix, 255)}
}

// head returns what coherence needs of f beside its pixels.
func head(f *filter.Frame) *filter.Frame {
	return &filter.Frame{W: f.W, H: f.H, Index: f.Index, Alpha: f.Alpha}
}

// unpack returns the frame and the ages of its pixels, in memory from the pool.
func (o *olderFrame) unpack(mem *pool) (f *filter.Frame, age []float32) {
	pix := mem.get(len(o.pix))
	dequantize(mem, pix, o.pix, 255)
	if o.age != nil {
		age = mem.get(len(o.age))
		dequantize(mem, age, o.age, 1)
	}
	return o.head.With(pix), age
}

// quantize rounds v·scale to 8 bits.
func quantize(mem *pool, v []float32, scale float32) []uint8 {
	out := make([]uint8, len(v))
	mem.bands(len(v), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = uint8(min(max(v[i]*scale+0.5, 0), 255))
		}
	})
	return out
}

// dequantize is the inverse of quantize.
func dequantize(mem *pool, dst []float32, b []uint8, scale float32) {
	var values [256]float32
	for i := range values {
		values[i] = float32(i) / scale
	}
	mem.bands(len(b), func(from, to int) {
		for i, v := range b[from:to] {
			dst[from+i] = values[v]
		}
	})
}
