package flow

import "math"

// patch is the side of the squares that are searched for.
const patch = 8

// grid is the flow of patches: that of column i and row j covers patch×patch
// pixels from (at(i, w), at(j, h)); those of the last row and column end where the
// picture ends.
type grid struct {
	cols, rows, stride int
	u, v               []float32
}

func patches(n, stride int) int { return (max(n-patch, 0)+stride-1)/stride + 1 }

func newGrid(w, h, stride int) grid {
	g := grid{cols: patches(w, stride), rows: patches(h, stride), stride: stride}
	g.u, g.v = make([]float32, g.cols*g.rows), make([]float32, g.cols*g.rows)
	return g
}

func (g *grid) at(i, n int) int { return min(i*g.stride, max(n-patch, 0)) }

// searching is what a search works on: the flow of patches of from into to, which
// starts at the dense flow (u, v).
type searching struct {
	from, to   *level
	u, v       *plane
	g          grid
	iterations int // of gradient descent, in each of two passes
}

// rowsPerStripe is how many rows of patches hand on their flow to one another.
const rowsPerStripe = 12

func stripes(g *grid) int { return (g.rows + rowsPerStripe - 1) / rowsPerStripe }

func (g *grid) stripe(i int) (j0, j1 int) {
	return i * rowsPerStripe, min((i+1)*rowsPerStripe, g.rows)
}

// search finds the flow of the patches of a stripe by inverse compositional
// descent (Kroeger et al. 2016, section 2.1): once through the rows, starting each
// patch at the best of its own flow and its left and upper neighbours', then back
// with those on the right and below (spatial propagation as in OpenCV's
// implementation). Patches are compared less their means.
func (goKernels) search(s *searching, stripe int) {
	g := &s.g
	j0, j1 := g.stripe(stripe)
	for j := j0; j < j1; j++ {
		y := g.at(j, s.from.luma.h)
		for i := range g.cols {
			x := g.at(i, s.from.luma.w)
			n := j*g.cols + i
			c := clamp(x+patch/2, s.u.w)
			r := clamp(y+patch/2, s.u.h)
			g.u[n], g.v[n] = s.u.row(r)[c], s.v.row(r)[c]
			left, up := -1, -1
			if i > 0 {
				left = n - 1
			}
			if j > j0 {
				up = n - g.cols
			}
			s.patch(n, x, y, left, up)
		}
	}
	for j := j1 - 1; j >= j0; j-- {
		y := g.at(j, s.from.luma.h)
		for i := g.cols - 1; i >= 0; i-- {
			n := j*g.cols + i
			right, down := -1, -1
			if i < g.cols-1 {
				right = n + 1
			}
			if j < j1-1 {
				down = n + g.cols
			}
			s.patch(n, g.at(i, s.from.luma.w), y, right, down)
		}
	}
}

const (
	smallestStep = 0.03 * 0.03       // pixels², which ends a descent
	farthest     = patch * patch / 4 // pixels² of a descent; one that goes farther has run away
	flattest     = 1e-3              // of the determinant of a patch's structure tensor
)

// patch improves the flow of patch n at (x, y), given its neighbours' numbers, or
// negative ones where there is none.
func (s *searching) patch(n, x, y, neighbour1, neighbour2 int) {
	g := &s.g
	p := s.template(x, y)
	u, v := g.u[n], g.v[n]
	best := p.compare(s.to, x, y, u, v)
	for _, k := range [...]int{neighbour1, neighbour2} {
		if k < 0 || g.u[k] == u && g.v[k] == v {
			continue
		}
		if c := p.compare(s.to, x, y, g.u[k], g.v[k]); c.ssd < best.ssd {
			best, u, v = c, g.u[k], g.v[k]
		}
	}
	u0, v0 := u, v
	for range s.iterations {
		du := p.hxx*best.dx + p.hxy*best.dy
		dv := p.hxy*best.dx + p.hyy*best.dy
		c := p.compare(s.to, x, y, u-du, v-dv)
		if !(c.ssd < best.ssd) {
			break
		}
		best, u, v = c, u-du, v-dv
		if du*du+dv*dv < smallestStep {
			break
		}
	}
	if (u-u0)*(u-u0)+(v-v0)*(v-v0) > farthest {
		u, v = u0, v0
	}
	g.u[n], g.v[n] = u, v
}

// template is a patch of the first picture.
type template struct {
	from          *level
	at            int
	sx, sy        float32 // means of its derivatives
	hxx, hxy, hyy float32 // inverse of its structure tensor, less the means
}

func (s *searching) template(x, y int) template {
	p := template{from: s.from, at: s.from.dx.at(x, y)}
	var xx, xy, yy, sx, sy float32
	for r := range patch {
		i := p.at + r*s.from.dx.stride
		dx, dy := s.from.dx.data[i:i+patch], s.from.dy.data[i:i+patch]
		for k := range dx {
			xx += dx[k] * dx[k]
			xy += dx[k] * dy[k]
			yy += dy[k] * dy[k]
			sx += dx[k]
			sy += dy[k]
		}
	}
	const n = patch * patch
	xx, xy, yy = xx-sx*sx/n, xy-sx*sy/n, yy-sy*sy/n
	det := max(xx*yy-xy*xy, flattest)
	p.sx, p.sy, p.hxx, p.hxy, p.hyy = sx/n, sy/n, yy/det, -xy/det, xx/det
	return p
}

// comparison is how a patch differs from where it is thought to have gone.
type comparison struct {
	ssd    float32 // squared differences less those of the means
	dx, dy float32 // half its derivatives by the flow
}

// compare samples to at the patch from (x+u, y+v), bilinearly.
func (p *template) compare(to *level, x, y int, u, v float32) comparison {
	at, a, b := target(to, x, y, u, v)
	var sum, squares, sx, sy float32
	for r := range patch {
		i, j := p.at+r*p.from.luma.stride, at+r*to.luma.stride
		t, dx, dy := p.from.luma.data[i:i+patch], p.from.dx.data[i:i+patch], p.from.dy.data[i:i+patch]
		q0, q1 := to.luma.data[j:j+patch+1], to.luma.data[j+to.luma.stride:][:patch+1]
		for k := range patch {
			top := q0[k] + a*(q0[k+1]-q0[k])
			bottom := q1[k] + a*(q1[k+1]-q1[k])
			d := top + b*(bottom-top) - t[k]
			sum += d
			squares += d * d
			sx += d * dx[k]
			sy += d * dy[k]
		}
	}
	return comparison{squares - sum*sum/(patch*patch), sx - sum*p.sx, sy - sum*p.sy}
}

// target is where a patch at (x, y) goes by (u, v): the index in to's luma, and
// what is left of a pixel to the right and down. At least one sample stays in the
// picture.
func target(to *level, x, y int, u, v float32) (at int, a, b float32) {
	px := min(max(float32(x)+u, 1-patch), float32(to.luma.w-1))
	py := min(max(float32(y)+v, 1-patch), float32(to.luma.h-1))
	fx, fy := float32(math.Floor(float64(px))), float32(math.Floor(float64(py)))
	return to.luma.at(int(fx), int(fy)), px - fx, py - fy
}
