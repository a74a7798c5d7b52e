package filter

import (
	"math"
	"slices"

	"github.com/lucasb-eyer/go-colorful"

	"nstfilter/filter/parallel"
)

// InColoursOf returns f with its lightness and the hue and chroma of original, which has the
// same size, in Oklab (Ottosson 2020). A colour that sRGB cannot show at that lightness loses
// chroma. It uses as many threads as runtime.GOMAXPROCS says.
func (f *Frame) InColoursOf(original *Frame) *Frame { return f.inColoursOf(0, original) }

func (f *Frame) inColoursOf(threads int, original *Frame) *Frame {
	n := f.W * f.H
	pix := make([]float32, 3*n)
	parallel.Blocks(threads, n, pixelBlock, func(first, last int) {
		for p := first; p < last; p++ {
			l, _, _ := colourAt(f.Pix, p).OkLab()
			_, a, b := colourAt(original.Pix, p).OkLab()
			setColour(pix, p, shown(l, a, b))
		}
	})
	return f.With(pix)
}

func colourAt(pix []float32, p int) colorful.Color {
	n := len(pix) / 3
	return colorful.Color{R: float64(pix[p]), G: float64(pix[n+p]), B: float64(pix[2*n+p])}
}

func setColour(pix []float32, p int, c colorful.Color) {
	n := len(pix) / 3
	pix[p], pix[n+p], pix[2*n+p] = float32(c.R), float32(c.G), float32(c.B)
}

// shown returns the colour of Oklab's l, a, b. One that sRGB cannot show is mixed, in linear
// light, with as much grey of the same lightness as it takes. Where the colours that sRGB
// shows end, chroma along Oklab's own rays would leap: the blue ones are not convex there.
func shown(l, a, b float64) colorful.Color {
	grey := l * l * l
	red, green, blue := colorful.OkLab(l, a, b).LinearRgb()
	share := 1. // of the colour
	for _, v := range []float64{red, green, blue} {
		switch {
		case v < 0:
			share = min(share, grey/(grey-v))
		case v > 1:
			share = min(share, (1-grey)/(v-grey))
		}
	}
	share = max(share, 0)
	mixed := func(v float64) float64 { return grey + share*(v-grey) }
	return colorful.LinearRgb(mixed(red), mixed(green), mixed(blue)).Clamped()
}

// PhotoColours is what Options.ColorMatch gives the styles of a photo's colours.
type PhotoColours struct {
	Mean      [3]float64    // of sRGB-coded samples
	Second    [3][3]float64 // means of their products
	Quantiles [3][]float32  // of Oklab's l, a and b, in equal steps from the least to the greatest; empty unless histograms are matched
}

// quantileSteps is the number of steps between quantiles.
const quantileSteps = 256

// matchAt is the longest side, in pixels, at which a photo's colours are measured for
// ColorMatch.
const matchAt = 512

// takeColours makes the styles, from now on, have the colours of content.
func (f *Filter) takeColours(content *Frame) {
	if f.o.ColorMatch == "none" {
		return
	}
	own := size{content.W, content.H}
	s := own.within(matchAt)
	pix, mask := content.fit(f.threads, s, lanczos), fitMask(f.threads, content.mask(), own, s)
	c := coloursOf(pix, mask)
	photo := &PhotoColours{Mean: c.mean, Second: c.second}
	if f.o.ColorMatch == "histogram" {
		photo.Quantiles = quantiles(oklab(f.threads, pix), mask)
	}
	f.SetPhotoColours(photo)
}

// PhotoColours returns the colours that the styles have been given, or nil.
func (f *Filter) PhotoColours() *PhotoColours { return f.photo }

// SetPhotoColours gives the styles these colours, as Paint does with the colours of a picture
// without Guide.Start. A film that goes on in the middle of a scene needs those of the scene's
// first frame.
func (f *Filter) SetPhotoColours(c *PhotoColours) {
	f.photo = c
	for _, n := range f.networks() {
		clear(n.styleCaches)
	}
}

// fitStyle returns a style at a size, in the photo's colours if Options.ColorMatch says so.
func (f *Filter) fitStyle(style *Frame, s size) []float32 {
	pix := style.fit(f.threads, s, lanczos)
	if f.photo == nil {
		return pix
	}
	pix = slices.Clone(pix)
	mask := fitMask(f.threads, style.mask(), size{style.W, style.H}, s)
	if f.o.ColorMatch == "histogram" {
		matchQuantiles(f.threads, pix, mask, f.photo.Quantiles)
		return pix
	}
	recolour(f.threads, pix, coloursOf(pix, mask), colours{f.photo.Mean, f.photo.Second})
	return pix
}

// oklab returns the planes l, a, b of a picture.
func oklab(threads int, pix []float32) []float32 {
	out := make([]float32, len(pix))
	n := len(pix) / 3
	parallel.Blocks(threads, n, pixelBlock, func(first, last int) {
		for p := first; p < last; p++ {
			l, a, b := colourAt(pix, p).OkLab()
			setColour(out, p, colorful.Color{R: l, G: a, B: b})
		}
	})
	return out
}

// quantiles returns those of each of three planes, over what mask shows; nil: all.
func quantiles(planes, mask []float32) (q [3][]float32) {
	n := len(planes) / 3
	for i := range q {
		var v []float32
		for p, x := range planes[i*n : (i+1)*n] {
			if mask == nil || mask[p] > 0.5 {
				v = append(v, x)
			}
		}
		if len(v) == 0 {
			v = append(v, planes[i*n]) // hardly anything is opaque
		}
		slices.Sort(v)
		for k := range quantileSteps + 1 {
			q[i] = append(q[i], v[k*(len(v)-1)/quantileSteps])
		}
	}
	return q
}

// matchQuantiles gives a picture the quantiles of Oklab's l, a and b, each by itself.
func matchQuantiles(threads int, pix, mask []float32, to [3][]float32) {
	lab := oklab(threads, pix)
	from := quantiles(lab, mask)
	n := len(pix) / 3
	parallel.Blocks(threads, n, pixelBlock, func(first, last int) {
		for p := first; p < last; p++ {
			var v [3]float64
			for i := range v {
				v[i] = translate(float64(lab[i*n+p]), from[i], to[i])
			}
			setColour(pix, p, shown(v[0], v[1], v[2]))
		}
	})
}

// translate maps a value between the same quantiles.
func translate(v float64, from, to []float32) float64 {
	k, _ := slices.BinarySearch(from, float32(v))
	k = min(max(k, 1), len(from)-1)
	low, high := float64(from[k-1]), float64(from[k])
	t := 0.5
	if high > low {
		t = math.Min(math.Max((v-low)/(high-low), 0), 1)
	}
	return float64(to[k-1]) + t*float64(to[k]-to[k-1])
}
