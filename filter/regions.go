package filter

import (
	"fmt"
	"slices"
)

// Everywhere returns the map of a region that is all of f, for Frame.Regions.
func (f *Frame) Everywhere() []float32 {
	return slices.Repeat([]float32{1}, f.W*f.H)
}

// overlap is how much the sum of a pixel's weights may exceed 1 by rounding.
const overlap = 1e-3

// checkRegions returns an error unless a picture to paint has maps for n regions.
func (f *Frame) checkRegions(n int) error {
	if len(f.Regions) != n {
		return fmt.Errorf("the picture has %d regions and the styles %d: give it a map for each", len(f.Regions), n)
	}
	sum := make([]float32, f.W*f.H)
	for r, m := range f.Regions {
		if m == nil {
			return fmt.Errorf("region %d of the picture has no map: give one of zeros if nothing is in it", r+1)
		}
		if err := f.checkMap(r); err != nil {
			return err
		}
		for i, v := range m {
			sum[i] += v
		}
	}
	for i, v := range sum {
		if v > 1+overlap {
			return fmt.Errorf("the regions overlap: their weights at pixel (%d, %d) have the sum %.3g: at most 1 is possible", i%f.W, i/f.W, v)
		}
	}
	return nil
}

// checkMap returns an error if the map of region r has the wrong size or a weight out of range.
func (f *Frame) checkMap(r int) error {
	m := f.Regions[r]
	if len(m) != f.W*f.H {
		return fmt.Errorf("the map of region %d has %d weights for %d×%d pixels: give one for each", r+1, len(m), f.W, f.H)
	}
	for i, v := range m {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("the weight of region %d at pixel (%d, %d) is %g: it must be from 0 to 1", r+1, i%f.W, i/f.W, v)
		}
	}
	return nil
}

// styleRegions returns how many regions the styles have; 0: none of them has any. It fails if
// they differ in that, or if a region has no style.
func styleRegions(styles []*Frame) (n int, err error) {
	for _, s := range styles {
		n = max(n, len(s.Regions))
	}
	for i, s := range styles {
		if len(s.Regions) != 0 && len(s.Regions) != n {
			return 0, fmt.Errorf("style %d has %d regions and another has %d: give each the same number, or none", i+1, len(s.Regions), n)
		}
		for r, m := range s.Regions {
			if m == nil {
				continue
			}
			if err := s.checkMap(r); err != nil {
				return 0, fmt.Errorf("style %d: %w", i+1, err)
			}
			if !s.shows(r + 1) {
				return 0, fmt.Errorf("style %d shows nothing of region %d: its map is 0 where the picture is opaque", i+1, r+1)
			}
		}
	}
	for r := range n {
		if !slices.ContainsFunc(styles, func(s *Frame) bool { return s.paints(r + 1) }) {
			return 0, fmt.Errorf("no style is for region %d: name one", r+1)
		}
	}
	return n, nil
}

// paints reports whether a style has a part in region r, from 1; region 0 is the whole picture.
func (f *Frame) paints(r int) bool {
	return r == 0 || len(f.Regions) == 0 || f.Regions[r-1] != nil
}

// shows reports whether anything that is opaque belongs to region r, from 1.
func (f *Frame) shows(r int) bool {
	for i, v := range f.Regions[r-1] {
		if v > 0 && (f.Alpha == nil || f.Alpha[i] > 0) {
			return true
		}
	}
	return false
}

// maps returns a style's maps of n regions: zeros where it has no part.
func (f *Frame) maps(n int) [][]float32 {
	out := make([][]float32, n)
	for r := range out {
		switch {
		case len(f.Regions) == 0:
			out[r] = f.Everywhere()
		case f.Regions[r] == nil:
			out[r] = make([]float32, f.W*f.H)
		default:
			out[r] = f.Regions[r]
		}
	}
	return out
}

// checkShares returns an error if the shares leave a region without a style.
func (f *Filter) checkShares(shares []float64) error {
	for r := 1; r <= f.regions; r++ {
		total := 0.
		for i, s := range f.styles {
			if s.paints(r) {
				total += shares[i]
			}
		}
		if total == 0 {
			return fmt.Errorf("all styles of region %d have the share 0: give one of them a share", r)
		}
	}
	return nil
}

// regionShares returns the shares of the styles in a region, from 1, with sum 1; styles that
// have no part in it get 0. Region 0 is the whole picture. checkShares has passed them.
func (f *Filter) regionShares(shares []float64, region int) []float64 {
	if region == 0 {
		return shares
	}
	out, total := make([]float64, len(shares)), 0.
	for i, s := range f.styles {
		if s.paints(region) {
			out[i] = shares[i]
			total += shares[i]
		}
	}
	for i := range out {
		out[i] /= total
	}
	return out
}

// mirrorRegions is mirror for maps; nil stays nil.
func mirrorRegions(threads int, maps [][]float32, s size, m int) (out [][]float32) {
	for _, one := range maps {
		out = append(out, mirror(threads, one, 1, s, m))
	}
	return out
}

// fitRegions is fitMask for maps; nil stays nil.
func fitRegions(threads int, maps [][]float32, from, to size) [][]float32 {
	if len(maps) == 0 || from == to {
		return maps
	}
	out := make([][]float32, len(maps))
	for r, m := range maps {
		out[r] = fitMask(threads, m, from, to)
	}
	return out
}
