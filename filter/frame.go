package filter

import "fmt"

// Frame is one picture: planar RGB as the network sees it.
type Frame struct {
	W, H  int
	Pix   []float32 // planes R, G, B, each H rows of W; in [0,1]; coded as sRGB, or by the profile of the photo and the styles
	Alpha []float32 // H rows of W in [0,1]; nil: opaque

	// Strength says how much of its painting each pixel of a picture to paint gets: H rows of
	// W, from 0 (it stays as it is) to 1; nil: 1 everywhere.
	Strength []float32

	// Regions has a map for each region, H rows of W, with the weight in [0,1] of the region in
	// each pixel. The styles decide how many regions there are; a picture to paint has one map
	// for each. A map of a style says which part of it region r is painted with; nil: the style
	// has no part in it. A style without Regions is, as a whole, for every region.
	//
	// In a picture to paint, the weights of a pixel have a sum of at most 1. Where it is less,
	// styles have that much less to say; where it is 0 the picture is only like itself.
	Regions [][]float32

	Index    int      // position in the stream, from 0; 0 for a photo
	PTS      int64    // presentation time in units of TimeBase
	TimeBase Rational // seconds; zero for a photo
	Duration int64    // in units of TimeBase; 0: not known

	// Origin is what the reader keeps for the writer: native planes and their
	// colour, or the photo's header. The filter carries it unread.
	Origin any
}

// Rational is Num/Den.
type Rational struct{ Num, Den int64 }

// NewFrame returns a black frame.
func NewFrame(w, h int) *Frame {
	return &Frame{W: w, H: h, Pix: make([]float32, 3*w*h)}
}

// With returns a copy of f with another picture of the same size.
func (f *Frame) With(pix []float32) *Frame {
	if len(pix) != 3*f.W*f.H {
		panic(fmt.Sprintf("filter: %d samples for a %d×%d frame", len(pix), f.W, f.H))
	}
	g := *f
	g.Pix = pix
	return &g
}

// Resized returns f at another size, by bicubic resampling of its filled picture. It uses as many
// threads as runtime.GOMAXPROCS says.
func (f *Frame) Resized(w, h int) *Frame {
	if f.W == w && f.H == h {
		return f
	}
	g := f.sized(0, w, h)
	g.Pix = f.fit(0, size{w, h}, bicubic)
	return g
}

// sized returns f at another size, without a picture.
func (f *Frame) sized(threads, w, h int) *Frame {
	g := *f
	g.W, g.H, g.Pix = w, h, nil
	if f.Alpha != nil && (f.W != w || f.H != h) {
		g.Alpha = resize(threads, f.Alpha, 1, f.W, f.H, w, h, bicubic)
		clamp01(threads, g.Alpha)
	}
	g.Strength = fitMask(threads, f.Strength, size{f.W, f.H}, size{w, h})
	g.Regions = fitRegions(threads, f.Regions, size{f.W, f.H}, size{w, h})
	return &g
}

// Painted returns f with its result, a picture of w×h, which it may overwrite. Transparent
// pixels keep f's samples. It uses as many threads as runtime.GOMAXPROCS says.
func (f *Frame) Painted(pix []float32, w, h int) *Frame { return f.painted(0, pix, w, h) }

func (f *Frame) painted(threads int, pix []float32, w, h int) *Frame {
	if f.W != w || f.H != h {
		pix = resize(threads, pix, 3, w, h, f.W, f.H, bicubic)
		clamp01(threads, pix)
	}
	if mask := f.mask(); mask != nil {
		restore(pix, f.Pix, mask)
	}
	return f.With(pix)
}
