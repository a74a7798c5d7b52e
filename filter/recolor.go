package filter

import (
	"math"
	"slices"

	"nstfilter/filter/engine"
	"nstfilter/filter/parallel"

	"gonum.org/v1/gonum/mat"
)

// recolourAt is the longest side, in pixels, at which colours are measured for a start. Strokes
// are averaged out at that size: the optimiser will add their contrast to the picture anyway.
const recolourAt = 64

// colours are the means of a picture's samples and of their products.
type colours struct {
	mean   [3]float64
	second [3][3]float64
}

// leastVariance is added to variances so that flat pictures are not amplified; it is about the
// square of an 8-bit step.
const leastVariance = 1e-5

func (c *colours) covariance(i, j int) float64 {
	v := c.second[i][j] - c.mean[i]*c.mean[j]
	if i == j {
		v += leastVariance
	}
	return v
}

// coloursOf returns the colours of three planes, weighted by a mask; nil: all alike.
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

// styleColours returns the colours of the styles in a region, from 1, each measured at its size
// at(style) and weighted by its share. Region 0 is all of it.
func (f *Filter) styleColours(region int, shares []float64, at func(*Frame) size) (mixed colours) {
	shares = f.regionShares(shares, region)
	for k, style := range f.styles {
		if shares[k] == 0 {
			continue
		}
		s := at(style)
		mask := style.mask()
		if region > 0 {
			mask = engine.Product(mask, style.maps(f.regions)[region-1])
		}
		c := coloursOf(f.fitStyle(style, s), fitMask(f.threads, mask, size{style.W, style.H}, s))
		for i := range 3 {
			mixed.mean[i] += shares[k] * c.mean[i]
			for j := range 3 {
				mixed.second[i][j] += shares[k] * c.second[i][j]
			}
		}
	}
	return mixed
}

// recolour maps three planes from one mean and covariance to another, by the
// Monge–Kantorovich map of sRGB-coded values (Pitié and Kokaram 2007, section 3.4), and
// clips to [0,1].
func recolour(threads int, pix []float32, from, to colours) {
	if total := from.mean[0] + from.mean[1] + from.mean[2]; math.IsNaN(total) || math.IsInf(total, 0) {
		return // Paint reports that J is not finite
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

// recoloured returns content at a size in the colours of the styles.
func (f *Filter) recoloured(content *Frame, shares []float64, at size) []float32 {
	own := size{content.W, content.H}
	small := own.within(recolourAt)
	low, mask := content.fit(f.threads, small, bilinear), fitMask(f.threads, content.counts(), own, small)
	lowMaps, maps := fitRegions(f.threads, content.Regions, own, small), fitRegions(f.threads, content.Regions, own, at)
	pix := slices.Clone(content.fit(f.threads, at, bicubic))
	f.recolourRegions(pix, low, mask, lowMaps, maps, func(r int) colours {
		return f.styleColours(r, shares, func(style *Frame) size { return size{style.W, style.H}.within(recolourAt) })
	})
	return pix
}

// recolourRegions recolours a picture from the colours of measured, under a mask, to those of
// the styles, region by region: a pixel becomes the mean of its colours in each region by its
// weights there, and stays as it was for what is missing to 1. low has the maps of measured,
// maps those of pix; none: the picture is recoloured as a whole.
func (f *Filter) recolourRegions(pix, measured, mask []float32, low, maps [][]float32, to func(region int) colours) {
	if len(maps) == 0 {
		recolour(f.threads, pix, coloursOf(measured, mask), to(0))
		return
	}
	old := slices.Clone(pix)
	for r, m := range maps {
		seen := engine.Product(mask, low[r])
		if engine.Total(seen) == 0 {
			continue
		}
		part := slices.Clone(old)
		recolour(f.threads, part, coloursOf(measured, seen), to(r+1))
		n := len(m)
		parallel.Blocks(f.threads, n, pixelBlock, func(first, last int) {
			for p := first; p < last; p++ {
				for i := p; i < len(pix); i += n {
					pix[i] += m[p] * (part[i] - old[i])
				}
			}
		})
	}
}

// colourMatcher returns what gives a painted picture of size s, margin included, the mean and
// covariance of the styles' colours, which Gram matrices only approximate; nothing with
// Options.NoStyleColors. maps are those of the regions, grownMaps with their margin.
func (f *Filter) colourMatcher(mask []float32, maps, grownMaps [][]float32, s size, shares []float64) func(grown []float32) {
	if f.o.NoStyleColors {
		return func([]float32) {}
	}
	of := map[int]colours{} // by region: they are measured once, however often somebody looks
	return func(grown []float32) {
		inner := crop(slices.Clone(grown), 3, s, f.o.Margin)
		f.recolourRegions(grown, inner, mask, maps, grownMaps, func(r int) colours {
			if _, ok := of[r]; !ok {
				of[r] = f.styleColours(r, shares, func(style *Frame) size { return f.styleSizes(style, s)[0] })
			}
			return of[r]
		})
	}
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

// symmetric returns the matrix with at's elements on and above the diagonal.
func symmetric(at func(i, j int) float64) *mat.SymDense {
	s := mat.NewSymDense(3, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			s.SetSym(i, j, at(i, j))
		}
	}
	return s
}

// power returns sᵖ for a positive semidefinite s; eigenvalues are at least 1e-12.
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
