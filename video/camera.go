package video

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"nstfilter/video/flow"
)

// camera is the motion of most of a picture as an affine flow, in pixels:
// u = c[0] + c[1]·x + c[2]·y, v = c[3] + c[4]·x + c[5]·y. What something hides has
// no flow to follow, but mostly moves with what is seen around it.
type camera [6]float64

const (
	fitStep = 4   // of the pixels, each way, that a camera is fitted to
	follow  = 0.2 // share of them that has to move by it within a pixel
)

// fitCamera finds the camera that most of f, weighed by trust, moves by: from the
// median flow, least squares, weighed anew by Geman and McClure's function of the
// distance while its scale falls from 4 pixels to a half. Nil: there is none.
func fitCamera(f *flow.Field, trust []float32) *camera {
	c := medianFlow(f, trust)
	for scale := 4.0; scale >= 0.5; scale /= math.Sqrt2 {
		a, b := mat.NewSymDense(3, nil), mat.NewDense(3, 2, nil)
		sampled(f, trust, func(x, y, u, v, trust float64) {
			du, dv := c.at(x, y)
			du, dv = du-u, dv-v
			g := 1 + (du*du+dv*dv)/(scale*scale)
			w := trust / (g * g)
			at := [3]float64{1, x, y}
			for i, p := range at {
				for j := i; j < 3; j++ {
					a.SetSym(i, j, a.At(i, j)+w*p*at[j])
				}
				b.Set(i, 0, b.At(i, 0)+w*p*u)
				b.Set(i, 1, b.At(i, 1)+w*p*v)
			}
		})
		var cholesky mat.Cholesky
		var solved mat.Dense
		if !cholesky.Factorize(a) || cholesky.SolveTo(&solved, b) != nil {
			return nil
		}
		for i := range 3 {
			c[i], c[3+i] = solved.At(i, 0), solved.At(i, 1)
		}
	}
	if !c.followed(f, trust) {
		return nil
	}
	return &c
}

// sampled calls do for every pixel that a camera is fitted to and whose flow is known.
func sampled(f *flow.Field, trust []float32, do func(x, y, u, v, trust float64)) {
	for y := 0; y < f.H; y += fitStep {
		for x := 0; x < f.W; x += fitStep {
			if u, v, known := f.At(x, y); known {
				do(float64(x), float64(y), float64(u), float64(v), float64(trust[y*f.W+x]))
			}
		}
	}
}

// medianFlow is the median of what is trusted more than half.
func medianFlow(f *flow.Field, trust []float32) (c camera) {
	var us, vs []float64
	sampled(f, trust, func(_, _, u, v, trust float64) {
		if trust > 0.5 {
			us, vs = append(us, u), append(vs, v)
		}
	})
	if len(us) > 0 {
		slices.Sort(us)
		slices.Sort(vs)
		c[0], c[3] = us[len(us)/2], vs[len(vs)/2]
	}
	return c
}

func (c *camera) at(x, y float64) (u, v float64) {
	return c[0] + c[1]*x + c[2]*y, c[3] + c[4]*x + c[5]*y
}

// followed reports whether enough of f moves by the camera.
func (c *camera) followed(f *flow.Field, trust []float32) bool {
	with, all := 0.0, float64(((f.W+fitStep-1)/fitStep)*((f.H+fitStep-1)/fitStep))
	sampled(f, trust, func(x, y, u, v, trust float64) {
		if du, dv := c.at(x, y); math.Hypot(du-u, dv-v) < 1 {
			with += trust
		}
	})
	return with >= follow*all
}

// then is the motion by c, and from there by d. Nil where either is.
func (c *camera) then(d *camera) *camera {
	if c == nil || d == nil {
		return nil
	}
	// d at (x+u, y+v), of which u and v are affine themselves.
	var out camera
	for i := 0; i < 6; i += 3 {
		k := d[i : i+3]
		out[i] = c[i] + k[0] + k[1]*c[0] + k[2]*c[3]
		out[i+1] = c[i+1] + k[1]*(1+c[1]) + k[2]*c[4]
		out[i+2] = c[i+2] + k[1]*c[2] + k[2]*(1+c[5])
	}
	return &out
}

// field is the flow of every pixel.
func (c *camera) field(w, h int) *flow.Field {
	f := flow.NewField(w, h)
	for y := range h {
		for x := range w {
			u, v := c.at(float64(x), float64(y))
			f.U[y*w+x], f.V[y*w+x] = float32(u), float32(v)
		}
	}
	return f
}
