package faces

import (
	"math"
	"slices"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

const (
	hold     = 30   // frames for which a face is followed without being found
	fade     = 8    // frames in which a face that appears or is lost gets its weight, or loses it
	follow   = 0.25 // share by which a face moves to where it is found: what is found trembles
	nearness = 0.5  // of two faces that are one: the most between their middles, in sizes
)

// Track is a face on its way through a film.
type Track struct {
	Face
	Weight float64 // in [0,1]
	Missed int     // frames since it was found
}

// Tracker follows faces from frame to frame. It must not be used by two goroutines at once.
type Tracker struct {
	// Tracks are the faces in the latest frame. To go on in another process, restore them.
	Tracks   []Track
	detector *Detector
}

// NewTracker returns a Tracker that has seen no frame.
func NewTracker() (*Tracker, error) {
	d, err := NewDetector()
	return &Tracker{detector: d}, err
}

// Next takes the next frame. backward is the flow from it to the frame before, at any size, or
// nil if that is not known. begins says that a scene begins: nothing is taken over from the
// frame before.
func (t *Tracker) Next(f *filter.Frame, backward *flow.Field, begins bool) {
	if begins {
		t.Tracks = nil
	}
	for i := range t.Tracks {
		if backward != nil {
			t.Tracks[i].move(backward, float64(f.W)/float64(backward.W), float64(f.H)/float64(backward.H))
		}
	}
	t.match(t.detector.Find(f), begins)
}

// match joins the faces that are found in a frame with those that are followed.
func (t *Tracker) match(found []Face, begins bool) {
	slices.SortStableFunc(found, func(a, b Face) int { return int(math.Copysign(1, b.Q-a.Q)) })
	seen := make([]bool, len(t.Tracks))
	old := len(t.Tracks)
	for _, face := range found {
		best := -1
		for i := range t.Tracks {
			if t.Tracks[i].near(face) && (best < 0 || t.Tracks[i].distance(face) < t.Tracks[best].distance(face)) {
				best = i
			}
		}
		switch {
		case best >= 0 && best < old && !seen[best]:
			seen[best] = true
			t.Tracks[best].approach(face)
		case best < 0 && face.Q >= sure:
			track := Track{Face: face, Weight: 1. / fade}
			if begins {
				track.Weight = 1
			}
			t.Tracks = append(t.Tracks, track)
		}
	}
	for i := range seen {
		tr := &t.Tracks[i]
		if !seen[i] {
			tr.Missed++
		}
		change := 1. / fade
		if tr.Missed > hold {
			change = -change
		}
		tr.Weight = min(tr.Weight+change, 1)
	}
	t.Tracks = slices.DeleteFunc(t.Tracks, func(tr Track) bool { return tr.Weight <= 0 })
}

func (f *Face) distance(g Face) float64 { return math.Hypot(f.X-g.X, f.Y-g.Y) }

// near reports whether two faces are one.
func (f *Face) near(g Face) bool { return f.distance(g) < nearness*max(f.Size, g.Size) }

// approach moves the track a part of the way to where its face is found.
func (t *Track) approach(found Face) {
	t.X += follow * (found.X - t.X)
	t.Y += follow * (found.Y - t.Y)
	t.Size += follow * (found.Size - t.Size)
	t.Q, t.Missed = found.Q, 0
}

// move moves a face forward along a flow that leads backward: to the place from which the flow
// leads to where the face was. kx and ky are the size of the face's picture, in that of the flow.
func (f *Face) move(backward *flow.Field, kx, ky float64) {
	was := *f
	for range 3 { // each time with the flow at a better place
		u, v, known := meanFlow(backward, f.X/kx, f.Y/ky, f.Size/3/kx, f.Size/3/ky)
		if !known {
			return
		}
		f.X, f.Y = was.X-u*kx, was.Y-v*ky
	}
}

// meanFlow is the mean over an ellipse, as far as it is in the picture and the flow is known.
func meanFlow(f *flow.Field, x, y, rx, ry float64) (u, v float64, known bool) {
	n := 0.
	for py := max(int(y-ry), 0); py <= min(int(y+ry), f.H-1); py++ {
		for px := max(int(x-rx), 0); px <= min(int(x+rx), f.W-1); px++ {
			if math.Hypot((float64(px)+0.5-x)/rx, (float64(py)+0.5-y)/ry) > 1 {
				continue
			}
			if a, b, ok := f.At(px, py); ok {
				u, v, n = u+float64(a), v+float64(b), n+1
			}
		}
	}
	if n == 0 {
		return 0, 0, false
	}
	return u / n, v / n, true
}

// The ellipse of a face that is left alone, hair and chin included, in its size: half axes, and
// how much higher than its middle it lies. It is soft from inner to outer, in half axes.
const (
	halfWidth, halfHeight, rise = 0.6, 0.78, 0.1
	inner, outer                = 0.85, 1.3
)

// Strength returns how much of each pixel of a w×h frame is to be painted: 0 on faces, 1 away
// from them, H rows of W; nil if there is no face.
func (t *Tracker) Strength(w, h int) []float32 {
	if len(t.Tracks) == 0 {
		return nil
	}
	out := slices.Repeat([]float32{1}, w*h)
	for _, f := range t.Tracks {
		rx, ry, y0 := halfWidth*f.Size, halfHeight*f.Size, f.Y-rise*f.Size
		for y := max(int(y0-outer*ry), 0); y <= min(int(y0+outer*ry), h-1); y++ {
			for x := max(int(f.X-outer*rx), 0); x <= min(int(f.X+outer*rx), w-1); x++ {
				r := math.Hypot((float64(x)+0.5-f.X)/rx, (float64(y)+0.5-y0)/ry)
				s := min(max((r-inner)/(outer-inner), 0), 1)
				s = s * s * (3 - 2*s)
				out[y*w+x] = min(out[y*w+x], float32(1-f.Weight*(1-s)))
			}
		}
	}
	return out
}
