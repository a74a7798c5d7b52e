package video

import "nstfilter/filter"

// past is a frame of some time ago, and outcome its result: in 8 bits, for they only
// fill what no later frame shows.
type past struct {
	head   *filter.Frame // without Pix
	pix    []uint8
	age    []uint8 // of its pixels; nil: all are old
	camera *camera // from the latest frame to it; nil: not known
}

type outcome struct {
	head *filter.Frame
	pix  []uint8
}

func newPast(f *filter.Frame, age []float32, c *camera) *past {
	p := &past{head: head(f), pix: toBytes(f.Pix, 255), camera: c}
	if age != nil {
		p.age = toBytes(age, 1)
	}
	return p
}

func newOutcome(f *filter.Frame) *outcome { return &outcome{head(f), toBytes(f.Pix, 255)} }

func head(f *filter.Frame) *filter.Frame {
	return &filter.Frame{W: f.W, H: f.H, Index: f.Index, Alpha: f.Alpha}
}

func (p *past) frame() (f *filter.Frame, age []float32) {
	if p.age != nil {
		age = fromBytes(p.age, 1)
	}
	return p.head.With(fromBytes(p.pix, 255)), age
}

func (o *outcome) frame() *filter.Frame { return o.head.With(fromBytes(o.pix, 255)) }

func toBytes(v []float32, scale float32) []uint8 {
	out := make([]uint8, len(v))
	for i, x := range v {
		out[i] = uint8(min(max(x*scale+0.5, 0), 255))
	}
	return out
}

func fromBytes(b []uint8, scale float32) []float32 {
	out := make([]float32, len(b))
	for i, x := range b {
		out[i] = float32(x) / scale
	}
	return out
}
