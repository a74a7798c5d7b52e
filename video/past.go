package video

import "nstfilter/filter"

// past is a frame of some time ago: its content and result in 8 bits, for they
// only fill what no later frame shows, and the ages of its pixels.
type past struct {
	content, result *filter.Frame // without Pix
	pix, painted    []uint8
	age             []uint8 // nil: all are old
	camera          *camera // from the latest frame that is kept to it; nil: not known
}

func newPast(content, result *filter.Frame, age []float32) *past {
	p := &past{content: head(content), result: head(result), pix: toBytes(content.Pix, 255), painted: toBytes(result.Pix, 255)}
	if age != nil {
		p.age = toBytes(age, 1)
	}
	return p
}

func head(f *filter.Frame) *filter.Frame {
	return &filter.Frame{W: f.W, H: f.H, Index: f.Index, Alpha: f.Alpha}
}

func (p *past) frames() (content, result *filter.Frame, age []float32) {
	if p.age != nil {
		age = fromBytes(p.age, 1)
	}
	return p.content.With(fromBytes(p.pix, 255)), p.result.With(fromBytes(p.painted, 255)), age
}

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
