package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"nstfilter/filter"
)

// regionColour is the colour of a region in masks: R, G, B in [0,1].
type regionColour [3]float64

func (c regionColour) String() string {
	b := func(v float64) int { return int(math.Round(v * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", b(c[0]), b(c[1]), b(c[2]))
}

func (c regionColour) luma() float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] }

func (c regionColour) distance(d regionColour) float64 {
	return math.Hypot(math.Hypot(c[0]-d[0], c[1]-d[1]), c[2]-d[2])
}

// colourAt returns the colour of pixel i of n.
func colourAt(f *filter.Frame, i int) regionColour {
	n := f.W * f.H
	return regionColour{float64(f.Pix[i]), float64(f.Pix[n+i]), float64(f.Pix[2*n+i])}
}

const (
	flatShare   = 0.005 // least part of a mask that a region's colour has
	alike       = 0.15  // colours nearer to each other than that are one: lossy codecs change them
	mostRegions = 16
)

// flatColours returns the colours of a mask's regions, from dark to light: those that at least
// flatShare of its pixels have, each with neighbours of its colour. Smooth edges have none.
func flatColours(mask *filter.Frame) []regionColour {
	type bin struct {
		key, count int
		sum        regionColour
	}
	bins := map[int]*bin{}
	n := mask.W * mask.H
	for i := range n {
		c, key := colourAt(mask, i), 0
		if !flatAt(mask, i) {
			continue
		}
		for _, v := range c {
			key = key*32 + int(min(v*255/8, 31))
		}
		b := bins[key]
		if b == nil {
			b = &bin{key: key}
			bins[key] = b
		}
		b.count++
		for p, v := range c {
			b.sum[p] += v
		}
	}
	var all []*bin
	for _, b := range bins {
		if float64(b.count) >= flatShare*float64(n) {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *bin) int { return cmp.Or(b.count-a.count, a.key-b.key) })
	var colours []regionColour
	for _, b := range all {
		c := b.sum
		for p := range c {
			c[p] /= float64(b.count)
		}
		if nearest(colours, c) < 0 {
			colours = append(colours, c)
		}
	}
	slices.SortFunc(colours, func(a, b regionColour) int { return cmp.Compare(a.luma(), b.luma()) })
	return colours
}

// flatAt reports whether pixel i differs from its four neighbours by no more than a codec's noise.
func flatAt(f *filter.Frame, i int) bool {
	const noise = 0.05
	x, y, c := i%f.W, i/f.W, colourAt(f, i)
	for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		nx, ny := min(max(x+d[0], 0), f.W-1), min(max(y+d[1], 0), f.H-1)
		if c.distance(colourAt(f, ny*f.W+nx)) >= noise {
			return false
		}
	}
	return true
}

// nearest returns the index of the colour that c is alike, or -1.
func nearest(colours []regionColour, c regionColour) int {
	best := -1
	for i, d := range colours {
		if c.distance(d) < alike && (best < 0 || c.distance(d) < c.distance(colours[best])) {
			best = i
		}
	}
	return best
}

// regionWeights returns the weight of each region in each pixel of a mask. A pixel of the smooth
// edge between two regions has a colour between theirs: the two that it lies best between share
// it, by how near it is to each.
func regionWeights(mask *filter.Frame, colours []regionColour) [][]float32 {
	const pure = 0.06 // a share below it is noise
	out := make([][]float32, len(colours))
	for r := range out {
		out[r] = make([]float32, mask.W*mask.H)
	}
	for i := range mask.W * mask.H {
		c, from, to, share, off := colourAt(mask, i), 0, 0, 0., math.Inf(1)
		for a := range colours {
			for b := a + 1; b < len(colours); b++ {
				if t, d := between(c, colours[a], colours[b]); d < off {
					from, to, share, off = a, b, t, d
				}
			}
		}
		switch {
		case share < pure:
			share = 0
		case share > 1-pure:
			share = 1
		}
		out[to][i] = float32(share)
		out[from][i] += float32(1 - share)
	}
	return out
}

// between returns how far c lies on the way from a to b, in [0,1], and how far off it.
func between(c, a, b regionColour) (t, off float64) {
	var along, length float64
	for p := range c {
		along += (c[p] - a[p]) * (b[p] - a[p])
		length += (b[p] - a[p]) * (b[p] - a[p])
	}
	t = min(max(along/length, 0), 1)
	var at regionColour
	for p := range at {
		at[p] = a[p] + t*(b[p]-a[p])
	}
	return t, c.distance(at)
}

// regionSet is what the regions of a job's masks are. nil: pictures are painted as a whole.
type regionSet struct {
	colours []regionColour // of the regions, from dark to light
	sum     string         // decides results, with the masks of the inputs
}

// checkMasks reports options of masks that exclude each other.
func (j *Job) checkMasks(styles *styleTimeline) error {
	switch n := len(j.StyleMask); {
	case j.Mask == "" && n > 0:
		return UsageErrorf("--style-mask without --mask: give the mask of the picture too")
	case n > 0 && n != len(j.Style):
		return UsageErrorf("%d --style-mask for %d --style: give one for each, in their order", n, len(j.Style))
	case j.Mask != "" && styles.Changes():
		return UsageErrorf("--mask with a --style FILE@TIME: a style of a region holds for all of the film: leave @TIME out")
	}
	return nil
}

// readRegions reads the masks of the styles, and of the first input if there are none, and gives
// each style the regions that are painted with it.
func (w *worker) readRegions(ctx context.Context, tasks []paintTask, styles []*filter.Frame) (*regionSet, error) {
	if w.options.Mask == "" {
		return nil, nil
	}
	set := &regionSet{}
	if len(w.options.StyleMask) > 0 {
		return set, w.readStyleMasks(set, styles)
	}
	m := tasks[0].mask
	for f, err := range w.pictures(ctx, m) {
		if err != nil {
			return nil, fmt.Errorf("--mask %w", err)
		}
		set.colours = flatColours(f)
		break
	}
	if len(set.colours) != len(styles) {
		return nil, UsageErrorf("--mask %s has %d colours (%v; what fills less than half a percent of the picture does not count) and there are %d styles: give a --style for each, from the darkest colour to the lightest, or with --style-mask what of each style is for which colour",
			m.path, len(set.colours), set.colours, len(styles))
	}
	for i, s := range styles {
		g := *s
		g.Regions = make([][]float32, len(styles))
		g.Regions[i] = s.Everywhere()
		styles[i] = &g
		if w.options.Verbose {
			w.reporter.say(fmt.Sprintf("region %v of --mask is painted like %s", set.colours[i], w.styles.styles[i].file))
		}
	}
	return set, nil
}

// readStyleMasks takes the regions from the masks of the styles.
func (w *worker) readStyleMasks(set *regionSet, styles []*filter.Frame) error {
	var masks []*filter.Frame
	for i, file := range w.options.StyleMask {
		f, err := w.readPicture(file)
		if err == nil {
			err = checkAspect(f, styles[i])
			if err != nil {
				err = fmt.Errorf("%s %w", file, err)
			}
		}
		if err != nil {
			return fmt.Errorf("--style-mask %w", err)
		}
		masks = append(masks, f)
		sum, err := hashFile(file)
		if err != nil {
			return fmt.Errorf("--style-mask %w", err)
		}
		set.sum += sum + " "
		for _, c := range flatColours(f) {
			if nearest(set.colours, c) < 0 {
				set.colours = append(set.colours, c)
			}
		}
	}
	if n := len(set.colours); n > mostRegions {
		return UsageErrorf("--style-mask: %d colours (%v): at most %d regions are possible: paint them flat, without shades", n, set.colours, mostRegions)
	}
	slices.SortFunc(set.colours, func(a, b regionColour) int { return cmp.Compare(a.luma(), b.luma()) })
	for i, f := range masks {
		here := flatColours(f)
		weights, g := regionWeights(f, set.colours), *styles[i]
		g.Regions = make([][]float32, len(set.colours))
		for r, c := range set.colours {
			if nearest(here, c) < 0 {
				continue
			}
			g.Regions[r] = filter.FitMap(weights[r], f.W, f.H, g.W, g.H)
			if w.options.Verbose {
				w.reporter.say(fmt.Sprintf("region %v is painted like that colour's part of %s, by --style-mask %s", c, w.styles.styles[i].file, w.options.StyleMask[i]))
			}
		}
		styles[i] = &g
	}
	return nil
}

// divide is a stage that gives each frame the regions that the mask m says.
func (s *stylizer) divide(m *mapFile) Stage {
	return func(ctx context.Context, in Frames) Frames {
		return func(yield func(*filter.Frame, error) bool) {
			reader, close := s.worker.openMap(ctx, m, s.ledger.input)
			defer close()
			colours := s.worker.regions.colours
			var regions [][]float32
			mapStream(in, func(f *filter.Frame) (*filter.Frame, error) {
				picture, fresh, err := reader.read(f)
				if err != nil {
					return nil, err
				}
				if fresh {
					for _, c := range flatColours(picture) {
						if nearest(colours, c) < 0 {
							return nil, reader.named(f, fmt.Errorf("%s has the colour %v, and no region has: they are %v: %w", m.path, c, colours, errOtherColour))
						}
					}
				}
				if fresh || len(regions[0]) != f.W*f.H {
					regions = regionWeights(picture, colours)
					for r := range regions {
						regions[r] = filter.FitMap(regions[r], picture.W, picture.H, f.W, f.H)
					}
				}
				g := *f
				g.Regions = regions
				return &g, nil
			})(yield)
		}
	}
}

var errOtherColour = errors.New("paint the mask in these, or give a --style-mask that has it")

// text identifies the set among those of other jobs.
func (r *regionSet) text() string {
	if r == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprint(&b, r.colours, r.sum)
	return b.String()
}
