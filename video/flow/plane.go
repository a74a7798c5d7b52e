package flow

// margin is how many samples may be read beyond each side of a plane.
const margin = 16

// plane is h rows of w samples, and a margin around.
type plane struct {
	w, h, stride int
	data         []float32
}

func newPlane(w, h int) plane {
	p := plane{w: w, h: h, stride: (w + 2*margin + 7) / 8 * 8}
	p.data = make([]float32, (h+2*margin)*p.stride)
	return p
}

// at is the index of sample (x, y); both may lie in the margin.
func (p *plane) at(x, y int) int { return (y+margin)*p.stride + margin + x }

// row is the samples of row y; y may lie in the margin.
func (p *plane) row(y int) []float32 {
	i := p.at(0, y)
	return p.data[i : i+p.w : i+p.w]
}

// clampedRow is the row nearest to y.
func (p *plane) clampedRow(y int) []float32 { return p.row(clamp(y, p.h)) }

// extendRow repeats the ends of row y over n samples of the margin.
func (p *plane) extendRow(y, n int) {
	first, last := p.at(0, y), p.at(p.w-1, y)
	for i := 1; i <= n; i++ {
		p.data[first-i], p.data[last+i] = p.data[first], p.data[last]
	}
}

// extend repeats the border over the whole margin.
func (p *plane) extend() {
	for y := range p.h {
		p.extendRow(y, margin)
	}
	whole := func(y int) []float32 { return p.data[p.at(-margin, y):p.at(p.w+margin, y)] }
	for i := 1; i <= margin; i++ {
		copy(whole(-i), whole(0))
		copy(whole(p.h-1+i), whole(p.h-1))
	}
}

// mirror repeats the samples inside the border over n of the margin.
func (p *plane) mirror(n int) {
	for y := range p.h {
		row := p.row(y)
		for i := 1; i <= n; i++ {
			p.data[p.at(-i, y)], p.data[p.at(p.w-1+i, y)] = row[mirrored(-i, p.w)], row[mirrored(p.w-1+i, p.w)]
		}
	}
	whole := func(y int) []float32 { return p.data[p.at(-n, y):p.at(p.w+n, y)] }
	for i := 1; i <= n; i++ {
		copy(whole(-i), whole(mirrored(-i, p.h)))
		copy(whole(p.h-1+i), whole(mirrored(p.h-1+i, p.h)))
	}
}

func clamp(i, n int) int { return min(max(i, 0), n-1) }
