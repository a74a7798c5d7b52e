package coherence

import "nstfilter/filter"

// past is a frame of some time ago, and outcome its result: in 8 bits, for they only
// fill what no later frame shows.
type past struct {
	head   *filter.Frame // without Pix
	pix    []uint8
	age    []uint8 // of its pixels; nil: all are old
	bins   histogram
	camera *camera // from the latest frame to it; nil: not known
}

type outcome struct {
	head *filter.Frame
	pix  []uint8
}

func (d *desk) newPast(f *filter.Frame, age []float32, c *camera) *past {
	p := &past{head: head(f), pix: d.toBytes(f.Pix, 255), camera: c}
	p.bins = d.histogramOfBytes(p.pix)
	if age != nil {
		p.age = d.toBytes(age, 1)
	}
	return p
}

func (d *desk) newOutcome(f *filter.Frame) *outcome { return &outcome{head(f), d.toBytes(f.Pix, 255)} }

func head(f *filter.Frame) *filter.Frame {
	return &filter.Frame{W: f.W, H: f.H, Index: f.Index, Alpha: f.Alpha}
}

// frame is p and the ages of its pixels, in memory of the desk's.
func (d *desk) frame(p *past) (f *filter.Frame, age []float32) {
	pix := d.take(len(p.pix))
	d.fromBytes(pix, p.pix, 255)
	if p.age != nil {
		age = d.take(len(p.age))
		d.fromBytes(age, p.age, 1)
	}
	return p.head.With(pix), age
}

func (d *desk) toBytes(v []float32, scale float32) []uint8 {
	out := make([]uint8, len(v))
	d.bands(len(v), func(from, to int) {
		for i := from; i < to; i++ {
			out[i] = uint8(min(max(v[i]*scale+0.5, 0), 255))
		}
	})
	return out
}

func (d *desk) fromBytes(dst []float32, b []uint8, scale float32) {
	var values [256]float32
	for i := range values {
		values[i] = float32(i) / scale
	}
	d.bands(len(b), func(from, to int) {
		for i, v := range b[from:to] {
			dst[from+i] = values[v]
		}
	})
}
