package flow

import "math"

// mirrored is where sample i lies when n samples are mirrored at their ends.
func mirrored(i, n int) int {
	for i < 0 || i >= n {
		if n == 1 {
			return 0
		}
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	return i
}

// poles of the filter that makes a quintic B-spline's coefficients from samples.
var poles = func() [2]float64 {
	root := math.Sqrt(17745. / 4)
	return [2]float64{
		math.Sqrt(135./2-root) + math.Sqrt(105./4) - 13./2,
		math.Sqrt(135./2+root) - math.Sqrt(105./4) - 13./2,
	}
}()

// pole is a filter's, for planes of one size.
type pole struct {
	z            float32
	across, down startWeights
}

func newPole(z float32, w, h int) pole { return pole{z, newStartWeights(w, z), newStartWeights(h, z)} }

// startWeights are those of the first samples in the sum of a mirrored signal up to
// its first one, which a pole's filter starts from, until they count no more.
type startWeights [32]float32

// newStartWeights are for a signal of n.
func newStartWeights(n int, z float32) (weights startWeights) {
	for i, power := 0, float32(1); abs(power) > 1e-9; i, power = i+1, power*z {
		weights[mirrored(i, n)] += power
	}
	return weights
}

// Both poles' filters, each along the rows and then down the columns, replace samples
// by the coefficients of the spline through them, mirrored at the border (Unser,
// Aldroubi, Eden, IEEE Trans. Signal Processing 1993).

// filterAcross is for rows y0 … y1−1.
func (goKernels) filterAcross(c *plane, p *pole, y0, y1 int) {
	for y := y0; y < y1; y++ {
		filterAlong(c.row(y), 1, c.w, 1, p.z, &p.across)
	}
}

// columns is how many a worker filters at a time.
const columns = 64

// filterDown is for columns x0 … x1−1.
func (goKernels) filterDown(c *plane, p *pole, x0, x1 int) {
	filterAlong(c.data[c.at(x0, 0):], c.stride, c.h, x1-x0, p.z, &p.down)
}

// filterAlong runs one pole's filter forth and back over n vectors of the given
// width, step apart.
func filterAlong(c []float32, step, n, width int, z float32, weights *startWeights) {
	if n == 1 {
		return
	}
	vector := func(i int) []float32 { return c[i*step : i*step+width] }
	gain := (1 - z) * (1 - 1/z)
	for i := range n {
		for k := range vector(i) {
			vector(i)[k] *= gain
		}
	}
	first := vector(0)
	for k := range first {
		first[k] *= weights[0]
	}
	for i := 1; i < min(n, len(weights)); i++ {
		for k, v := range vector(i) {
			first[k] += weights[i] * v
		}
	}
	for i := 1; i < n; i++ {
		before, now := vector(i-1), vector(i)
		for k := range now {
			now[k] += z * before[k]
		}
	}
	before, last := vector(n-2), vector(n-1)
	for k := range last {
		last[k] = z / (z*z - 1) * (last[k] + z*before[k])
	}
	for i := n - 2; i >= 0; i-- {
		after, now := vector(i+1), vector(i)
		for k := range now {
			now[k] = z * (after[k] - now[k])
		}
	}
}
