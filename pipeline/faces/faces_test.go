package faces

import (
	"math"
	"slices"
	"testing"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// portrait is a grey picture with a soft drawing of a face whose middle is at (x, y).
func portrait(w, h int, x, y, size float64) *filter.Frame {
	f := filter.NewFrame(w, h)
	for i := range w * h {
		// In units of the face, from its middle; left and right are alike.
		a, b := math.Abs((float64(i%w)+0.5-x)/size), (float64(i/w)+0.5-y)/size
		v := 0.45 + 0.05*math.Sin(float64(i%w)/17)
		blend := func(to, cx, cy, rx, ry, soft float64) {
			d := (math.Hypot((a-cx)/rx, (b-cy)/ry) - 1) / soft
			v += (to - v) / (1 + math.Exp(4*d))
		}
		blend(0.15, 0, -0.2, 0.62, 0.65, 0.1)    // hair
		blend(0.5, 0, 0.6, 0.3, 0.4, 0.2)        // neck
		blend(0.75, 0, 0.05, 0.48, 0.6, 0.1)     // skin
		blend(0.55, 0.23, -0.16, 0.2, 0.12, 1)   // sockets
		blend(0.3, 0.23, -0.26, 0.17, 0.04, 0.6) // brows
		blend(0.15, 0.22, -0.14, 0.1, 0.05, 0.5) // eyes
		blend(0.85, 0, 0, 0.05, 0.16, 0.6)       // nose
		blend(0.45, 0, 0.16, 0.13, 0.04, 0.7)    // and below
		blend(0.3, 0, 0.36, 0.2, 0.05, 0.5)      // mouth
		for p := range 3 {
			f.Pix[p*w*h+i] = float32(v)
		}
	}
	return f
}

func TestFind(t *testing.T) {
	d, err := NewDetector()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []int{320, 1600} { // as it is, and reduced
		k := float64(w) / 320
		found := d.Find(portrait(w, w*3/4, 120*k, 110*k, 90*k))
		if len(found) != 1 || found[0].Q < sure {
			t.Fatalf("%d pixels wide: found %v, want one face", w, found)
		}
		if f := found[0]; math.Hypot(f.X-120*k, f.Y-110*k) > 15*k || math.Abs(f.Size/k-90) > 35 {
			t.Errorf("%d pixels wide: found at %v, want (%g, %g) and size %g", w, f, 120*k, 110*k, 90*k)
		}
	}
	if found := d.Find(portrait(320, 240, -500, -500, 90)); len(found) > 0 {
		t.Errorf("found %v where there is no face", found)
	}
}

// moving is the flow from a frame to the one before of a picture that moves by (u, v) a frame.
func moving(w, h int, u, v float32) *flow.Field {
	return &flow.Field{W: w, H: h, U: slices.Repeat([]float32{-u}, w*h), V: slices.Repeat([]float32{-v}, w*h)}
}

// A face that is not found for some frames is left alone along the flow, at the film's size;
// then its map fades, without a leap. A scene begins with nothing.
func TestTracker(t *testing.T) {
	tracker, err := NewTracker()
	if err != nil {
		t.Fatal(err)
	}
	const w, h = 320, 240
	empty := portrait(w, h, -500, -500, 90)
	at := func(x, y float64) float32 {
		s := tracker.Strength(w, h)
		if s == nil {
			return 1
		}
		return s[int(y)*w+int(x)]
	}
	tracker.Next(portrait(w, h, 120, 110, 90), nil, true)
	if at(120, 110) != 0 || at(5, 5) != 1 {
		t.Fatalf("the first frame of a scene has %g on the face and %g away from it, want 0 and 1", at(120, 110), at(5, 5))
	}
	x := 120.
	for i := range hold {
		x += 2
		tracker.Next(empty, moving(w/2, h/2, 1, 0), false) // found at half the size
		if len(tracker.Tracks) != 1 || math.Abs(tracker.Tracks[0].X-x) > 10 || at(x, 110) != 0 {
			t.Fatalf("frame %d after it was found: %v, want one at x = %g that is not painted", i+1, tracker.Tracks, x)
		}
	}
	before := float32(0)
	for i := range fade {
		tracker.Next(empty, moving(w/2, h/2, 0, 0), false)
		if now := at(x, 110); now <= before || now > before+1./fade+1e-3 {
			t.Fatalf("frame %d of its fading: from %g to %g", i+1, before, now)
		} else {
			before = now
		}
	}
	if before != 1 || len(tracker.Tracks) > 0 {
		t.Errorf("it ends with %g of it painted: %v", before, tracker.Tracks)
	}
	tracker.Next(portrait(w, h, 120, 110, 90), nil, false)
	if v := at(120, 110); v < 0.8 || v >= 1 {
		t.Errorf("a face that appears leaps to %g", v)
	}
	tracker.Next(empty, nil, true)
	if len(tracker.Tracks) > 0 {
		t.Errorf("%v from the scene before", tracker.Tracks)
	}
}

// What is found trembles; what is followed does so less, and two faces stay two.
func TestTrackerSteadies(t *testing.T) {
	tracker := Tracker{}
	tracker.match([]Face{{X: 50, Y: 50, Size: 40, Q: 50}, {X: 120, Y: 50, Size: 40, Q: 60}}, true)
	for i := range 20 {
		d := float64(i%2)*6 - 3
		tracker.match([]Face{{X: 50 + d, Y: 50, Size: 40, Q: 50}, {X: 120 - d, Y: 50, Size: 40, Q: likely}}, false)
		if len(tracker.Tracks) != 2 {
			t.Fatalf("%v, want two", tracker.Tracks)
		}
		for _, tr := range tracker.Tracks {
			if off := math.Min(math.Abs(tr.X-50), math.Abs(tr.X-120)); off > 1.5 {
				t.Errorf("frame %d: off by %g where what is found is by 3", i, off)
			}
		}
	}
	tracker.match([]Face{{X: 200, Y: 50, Size: 40, Q: sure - 1}}, false)
	if len(tracker.Tracks) != 2 {
		t.Errorf("%v: what is not sure began a face", tracker.Tracks)
	}
}
