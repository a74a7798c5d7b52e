package filter

import (
	"math"
	"slices"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"

	"gonum.org/v1/gonum/mat"
)

// recolourAt is the longest side, in pixels, of the pictures whose colours a start is made
// by. Strokes are averaged there: what they add to a style's contrast they will add to the
// picture's, too.
const recolourAt = 64

// colours are the means of a picture's samples and of their products.
type colours struct {
	mean   [3]float64
	second [3][3]float64
}

// leastVariance is added to every covariance, so that what hardly varies is not blown up:
// about a step of 8 bits, squared.
const leastVariance = 1e-5

func (c *colours) covariance(i, j int) float64 {
	v := c.second[i][j] - c.mean[i]*c.mean[j]
	if i == j {
		v += leastVariance
	}
	return v
}

// coloursOf three planes, of which the mask counts, nil for all.
func coloursOf(pix, mask []float32) (c colours) {
	n := len(pix) / 3
	total := float64(n)
	if mask != nil {
		total = engine.Total(mask)
	}
	for p := range n {
		w := 1 / total
		if mask != nil {
			w *= float64(mask[p])
		}
		for i := range 3 {
			v := w * float64(pix[i*n+p])
			c.mean[i] += v
			for j := range 3 {
				c.second[i][j] += v * float64(pix[j*n+p])
			}
		}
	}
	return c
}

// styleColours are those of the styles, each by its share and seen at a size of its own.
func (f *Filter) styleColours(shares []float64, at func(*Frame) size) (mixed colours) {
	for k, style := range f.styles {
		if shares[k] == 0 {
			continue
		}
		s := at(style)
		c := coloursOf(style.fit(f.threads, s, lanczos), fitMask(f.threads, style.mask(), size{style.W, style.H}, s))
		for i := range 3 {
			mixed.mean[i] += shares[k] * c.mean[i]
			for j := range 3 {
				mixed.second[i][j] += shares[k] * c.second[i][j]
			}
		}
	}
	return mixed
}

// recolour takes three planes from one mean and covariance to another by the linear map of
// RGB as coded that moves colours the least (Monge and Kantorovich; Pitié and Kokaram
// 2007, section 3.4), clipped to [0,1].
func recolour(threads int, pix []float32, from, to colours) {
	if total := from.mean[0] + from.mean[1] + from.mean[2]; math.IsNaN(total) || math.IsInf(total, 0) {
		return // J will not be a number either, which is an error
	}
	m := transport(symmetric(from.covariance), symmetric(to.covariance))
	n := len(pix) / 3
	parallel.Blocks(threads, n, pixelBlock, func(first, last int) {
		for p := first; p < last; p++ {
			var old [3]float64
			for i := range 3 {
				old[i] = float64(pix[i*n+p]) - from.mean[i]
			}
			for i := range 3 {
				v := to.mean[i] + m[i][0]*old[0] + m[i][1]*old[1] + m[i][2]*old[2]
				pix[i*n+p] = float32(min(max(v, 0), 1))
			}
		}
	})
}

// recoloured is content at a size in the colours of the styles.
func (f *Filter) recoloured(content *Frame, shares []float64, at size) []float32 {
	own := size{content.W, content.H}
	small := own.within(recolourAt)
	from := coloursOf(content.fit(f.threads, small, bilinear), fitMask(f.threads, content.mask(), own, small))
	to := f.styleColours(shares, func(style *Frame) size { return size{style.W, style.H}.within(recolourAt) })
	pix := slices.Clone(content.fit(f.threads, at, bicubic))
	recolour(f.threads, pix, from, to)
	return pix
}

// matchColours gives a painted picture in its margin the colours of the styles that it is
// compared with: their mean, contrast and tints, which Gram matrices leave a little open.
func (f *Filter) matchColours(grown, mask []float32, s size, shares []float64) {
	from := coloursOf(crop(slices.Clone(grown), 3, s, f.o.Margin), mask)
	recolour(f.threads, grown, from, f.styleColours(shares, func(style *Frame) size { return f.styleSize(style, s) }))
}

// transport is A^-½ (A^½ B A^½)^½ A^-½ of two covariances.
func transport(a, b *mat.SymDense) (out [3][3]float64) {
	root, inverse := power(a, 0.5), power(a, -0.5)
	var middle, m mat.Dense
	middle.Product(root, b, root)
	mean := func(i, j int) float64 { return (middle.At(i, j) + middle.At(j, i)) / 2 }
	m.Product(inverse, power(symmetric(mean), 0.5), inverse)
	for i := range 3 {
		for j := range 3 {
			out[i][j] = m.At(i, j)
		}
	}
	return out
}

// symmetric makes a matrix of what stands right of the diagonal.
func symmetric(at func(i, j int) float64) *mat.SymDense {
	s := mat.NewSymDense(3, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			s.SetSym(i, j, at(i, j))
		}
	}
	return s
}

// power of a matrix that has no negative eigenvalue but by rounding.
func power(s *mat.SymDense, p float64) *mat.Dense {
	var e mat.EigenSym
	if !e.Factorize(s, true) {
		panic("filter: a covariance without eigenvalues")
	}
	var v, out mat.Dense
	e.VectorsTo(&v)
	d := mat.NewDiagDense(3, nil)
	for i, x := range e.Values(nil) {
		d.SetDiag(i, math.Pow(max(x, 1e-12), p))
	}
	out.Product(&v, d, v.T())
	return &out
}
