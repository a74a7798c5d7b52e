package filter

import "nstfilter/filter/parallel"

// A Strength below 1 mixes the picture with its painting in the end. All of the picture is
// painted nevertheless: what a film shows from frame to frame must not depend on where its map
// was before. But the less of a pixel's painting is to be seen, the less it counts.

// leastCount is how much a pixel of strength 0 counts in the losses and in the colours; one of
// strength 1 counts 1. With 1 the palette of the style would be spent on what nobody sees; with
// 0 nothing would be painted there, and it would show for some frames once a film's map moves.
const leastCount = 0.1

// counts returns how much each pixel counts; nil: all alike.
func (f *Frame) counts() []float32 {
	mask := f.mask()
	if f.Strength == nil {
		return mask
	}
	out := make([]float32, len(f.Strength))
	for i, s := range f.Strength {
		if mask == nil || mask[i] > 0 {
			out[i] = leastCount + (1-leastCount)*s
		}
	}
	return out
}

// Blended returns as much of painted, a painting of f, as f.Strength says, and of f for the
// rest: a pixel of strength 0 has f's samples to the bit. It returns painted itself if f has no
// Strength. If painted has another size, so has the result. It uses as many threads as
// runtime.GOMAXPROCS says.
func (f *Frame) Blended(painted *Frame) *Frame { return f.blended(0, painted) }

func (f *Frame) blended(threads int, painted *Frame) *Frame {
	if f.Strength == nil {
		return painted
	}
	f = f.Resized(painted.W, painted.H)
	n := f.W * f.H
	pix := make([]float32, 3*n)
	parallel.Blocks(threads, n, pixelBlock, func(first, last int) {
		for i := first; i < last; i++ {
			for p := i; p < 3*n; p += n {
				switch s := f.Strength[i]; s {
				case 0:
					pix[p] = f.Pix[p]
				case 1:
					pix[p] = painted.Pix[p]
				default:
					pix[p] = f.Pix[p] + s*(painted.Pix[p]-f.Pix[p])
				}
			}
		}
	})
	return painted.With(pix)
}

// FitMap returns a map, such as a Strength, of w×h numbers in [0,1] at another size, resampled
// bilinearly. It uses as many threads as runtime.GOMAXPROCS says.
func FitMap(m []float32, w, h, toW, toH int) []float32 {
	return fitMask(0, m, size{w, h}, size{toW, toH})
}
