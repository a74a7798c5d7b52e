package coherence

import "nstfilter/filter"

// past is a frame of some time ago, and outcome its result: in 8 bits, for they only
// fill what no later frame shows.
type olderFrame struct {
	head   *filter.Frame // without Pix
	pix    []uint8
	age    []uint8 // of its pixels; nil: all are old
	bins   histogram
	camera *camera // from the latest frame to it; nil: not known
}

type olderResult struct {
	head *filter.Frame
	pix  []uint8
}

func newOlderFrame(mem *pool, f *filter.Frame, age []float32, c *camera) *olderFrame {
	p := &olderFrame{head: head(f), pix: quantize(mem, f.Pix, 255), camera: c}
	p.bins = histogramOfBytes(mem, p.pix)
	if age != nil {
		p.age = quantize(mem, age, 1)
	}
	return p
}

func newOlderResult(mem *pool, f *filter.Frame) *olderResult {
	return &olderResult{head(f), quantize(mem, f.Pix, 255)}
}

func head(f *filter.Frame) *filter.Frame {
	return &filter.Frame{W: f.W, H: f.H, Index: f.Index, Alpha: f.Alpha}
}

// frame is p and the ages of its pixels, in memory of the desk's.
func unpack(mem *pool, p *olderFrame) (f *filter.Frame, age []float32) {
	pix := mem.get(len(p.pix))
	dequantize(mem, pix, p.pix, 255)
	if p.age != nil {
		age = mem.get(len(p.age))
		dequantize(mem, age, p.age, 1)
	}
	return p.head.With(pix), age
}

func quantize(mem *pool, v []float32, scale float32) []uint8 {
	out := make([]uint8, len(v))
	mem.bands(len(v), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = uint8(min(max(v[i]*scale+0.5, 0), 255))
		}
	})
	return out
}

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
