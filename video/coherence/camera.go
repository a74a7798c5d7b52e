package coherence

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"nstfilter/video/flow"
)

// camera is the motion of most of a picture as an affine flow, in pixels:
// u = c[0] + c[1]·x + c[2]·y, v = c[3] + c[4]·x + c[5]·y. It predicts where an occluded
// thing reappears: that has no flow of its own, but mostly moves with what is visible
// around it.
type camera [6]float64

const (
	cameraStep     = 4   // a camera is fitted to every 4th pixel of every 4th row
	minCameraShare = 0.2 // of these pixels, which must move with the camera to within a pixel
)

// flowSample is one pixel's flow.
type flowSample struct{ x, y, u, v, confidence float64 }

// fitCamera fits a camera to f, weighted by confidence. It starts at the median flow and
// iterates least squares, weighted by Geman and McClure's function of the residual,
// whose scale falls from 4 pixels to a half. It returns nil if too little of f moves
// with the camera.
func fitCamera(f *flow.Field, confidence []float32) *camera {
	all := sampleFlow(f, confidence)
	c := medianFlow(all)
	for scale := 4.0; scale >= 0.5; scale /= math.Sqrt2 {
		var a [3][3]float64
		var b [3][2]float64
		for _, p := range all {
			du, dv := c.at(p.x, p.y)
			du, dv = du-p.u, dv-p.v
			g := 1 + (du*du+dv*dv)/(scale*scale)
			w := p.confidence / (g * g)
			at := [3]float64{1, p.x, p.y}
			for i, v := range at {
				v *= w
				for j := i; j < 3; j++ {
					a[i][j] += v * at[j]
				}
				b[i][0] += v * p.u
				b[i][1] += v * p.v
			}
		}
		if !c.solve(&a, &b) {
			return nil
		}
	}
	if !c.explains(all, f) {
		return nil
	}
	return &c
}

// solve sets c to the solution of the normal equations; only a's upper triangle is read.
// It returns false if they have no unique one.
func (c *camera) solve(a *[3][3]float64, b *[3][2]float64) bool {
	left, right := mat.NewSymDense(3, nil), mat.NewDense(3, 2, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			left.SetSym(i, j, a[i][j])
		}
		right.Set(i, 0, b[i][0])
		right.Set(i, 1, b[i][1])
	}
	var cholesky mat.Cholesky
	var solved mat.Dense
	if !cholesky.Factorize(left) || cholesky.SolveTo(&solved, right) != nil {
		return false
	}
	for i := range 3 {
		c[i], c[3+i] = solved.At(i, 0), solved.At(i, 1)
	}
	return true
}

// sampleFlow returns the known flow at every cameraStep-th pixel.
func sampleFlow(f *flow.Field, confidence []float32) []flowSample {
	all := make([]flowSample, 0, sampleCount(f))
	for y := 0; y < f.H; y += cameraStep {
		for x := 0; x < f.W; x += cameraStep {
			if u, v, known := f.At(x, y); known {
				all = append(all, flowSample{float64(x), float64(y), float64(u), float64(v), float64(confidence[y*f.W+x])})
			}
		}
	}
	return all
}

// sampleCount is how many pixels sampleFlow looks at.
func sampleCount(f *flow.Field) int {
	return ((f.W + cameraStep - 1) / cameraStep) * ((f.H + cameraStep - 1) / cameraStep)
}

// medianFlow returns the median of the samples with a confidence above a half.
func medianFlow(all []flowSample) (c camera) {
	var us, vs []float64
	for _, p := range all {
		if p.confidence > 0.5 {
			us, vs = append(us, p.u), append(vs, p.v)
		}
	}
	if len(us) > 0 {
		c[0], c[3] = median(us), median(vs)
	}
	return c
}

// median returns the upper median by Hoare's quickselect, which reorders v.
func median(v []float64) float64 {
	k := len(v) / 2
	for low, high := 0, len(v)-1; low < high; {
		pivot, i, j := v[k], low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		if j < k {
			low = i
		}
		if i > k {
			high = j
		}
	}
	return v[k]
}

func (c *camera) at(x, y float64) (u, v float64) {
	return c[0] + c[1]*x + c[2]*y, c[3] + c[4]*x + c[5]*y
}

// explains reports whether enough of f moves with the camera; all are its samples.
func (c *camera) explains(all []flowSample, f *flow.Field) bool {
	with := 0.0
	for _, p := range all {
		if du, dv := c.at(p.x, p.y); math.Hypot(du-p.u, dv-p.v) < 1 {
			with += p.confidence
		}
	}
	return with >= minCameraShare*float64(sampleCount(f))
}

// compose returns the motion by c and then by d. It returns nil if either is nil.
func (c *camera) compose(d *camera) *camera {
	if c == nil || d == nil {
		return nil
	}
	// c moves (x, y) to (x+u, y+v), and d moves that on.
	var out camera
	for i := 0; i < 6; i += 3 {
		k := d[i : i+3]
		out[i] = c[i] + k[0] + k[1]*c[0] + k[2]*c[3]
		out[i+1] = c[i+1] + k[1]*(1+c[1]) + k[2]*c[4]
		out[i+2] = c[i+2] + k[1]*c[2] + k[2]*(1+c[5])
	}
	return &out
}

// cameraFlow returns the camera's flow at w×h pixels, in memory from the pool.
func cameraFlow(mem *pool, c *camera, w, h int) *flow.Field {
	f := &flow.Field{W: w, H: h, U: mem.get(w * h), V: mem.get(w * h)}
	mem.bands(h, func(from, to int) {
		for y := from; y < to; y++ {
			for x := range w {
				u, v := c.at(float64(x), float64(y))
				f.U[y*w+x], f.V[y*w+x] = float32(u), float32(v)
			}
		}
	})
	return f
}
