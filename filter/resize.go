package filter

import (
	"math"

	"nstfilter/filter/parallel"
)

// resampler is a linear map from one row length to another: output i is
// Σ_k weight[i·taps+k] · input[start[i]+k].
type resampler struct {
	src, dst, taps int
	start          []int
	weight         []float32
}

// kernel is a symmetric function that is zero beyond radius.
type kernel struct {
	radius float64
	at     func(x float64) float64
}

var (
	// bicubic is Keys 1981 with a = −½ (Catmull–Rom).
	bicubic = kernel{2, func(x float64) float64 {
		switch x = math.Abs(x); {
		case x < 1:
			return (1.5*x-2.5)*x*x + 1
		case x < 2:
			return ((-0.5*x+2.5)*x-4)*x + 2
		}
		return 0
	}}
	// lanczos, with three lobes, keeps a style's strokes sharp.
	lanczos  = kernel{3, func(x float64) float64 { return sinc(x) * sinc(x/3) }}
	bilinear = kernel{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
)

// sinc is sin(πx)/(πx).
func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// newResampler samples k at pixel centres. To shrink it widens k by the factor, against
// aliasing. At the ends it normalises the weights that are inside the row.
func newResampler(src, dst int, k kernel) *resampler {
	scale := float64(src) / float64(dst)
	wide := max(1, scale)
	taps := min(src, int(math.Ceil(k.radius*wide))*2+1)
	r := &resampler{src: src, dst: dst, taps: taps, start: make([]int, dst), weight: make([]float32, dst*taps)}
	w := make([]float64, taps)
	for i := range dst {
		centre := (float64(i)+0.5)*scale - 0.5
		first := int(math.Floor(centre)) - taps/2
		first = max(0, min(first, src-taps))
		sum := 0.0
		for j := range w {
			w[j] = k.at((float64(first+j) - centre) / wide)
			sum += w[j]
		}
		r.start[i] = first
		for j := range w {
			r.weight[i*taps+j] = float32(w[j] / sum)
		}
	}
	return r
}

// resize resamples a picture of planes planes from w×h to dw×dh.
func resize(threads int, pix []float32, planes, w, h, dw, dh int, k kernel) []float32 {
	if w == dw && h == dh {
		return append([]float32(nil), pix...)
	}
	x, y := newResampler(w, dw, k), newResampler(h, dh, k)
	out := make([]float32, planes*dw*dh)
	tmp := make([]float32, h*dw)
	for p := range planes {
		x.rows(threads, tmp, pix[p*w*h:(p+1)*w*h], h)
		y.columns(threads, out[p*dw*dh:(p+1)*dw*dh], tmp, dw)
	}
	return out
}

// rows resamples n rows.
func (r *resampler) rows(threads int, dst, src []float32, n int) {
	parallel.For(threads, n, func(_, y int) {
		in, out := src[y*r.src:][:r.src], dst[y*r.dst:][:r.dst]
		for i, first := range r.start {
			sum := float32(0)
			window := in[first:][:r.taps]
			for j, w := range r.weight[i*r.taps:][:r.taps] {
				sum += w * window[j]
			}
			out[i] = sum
		}
	})
}

// columns resamples columns of rows of width w.
func (r *resampler) columns(threads int, dst, src []float32, w int) {
	parallel.For(threads, r.dst, func(_, i int) {
		out := dst[i*w:][:w]
		clear(out)
		for j, wt := range r.weight[i*r.taps:][:r.taps] {
			axpy(out, wt, src[(r.start[i]+j)*w:][:w])
		}
	})
}

func axpy(y []float32, a float32, x []float32) {
	for i := range y {
		y[i] += a * x[i]
	}
}

// pixelBlock is how many samples one call of a loop over a picture handles.
const pixelBlock = 1 << 16

func clamp01(threads int, pix []float32) {
	parallel.Blocks(threads, len(pix), pixelBlock, func(from, to int) {
		for i, v := range pix[from:to] {
			pix[from+i] = min(max(v, 0), 1)
		}
	})
}
