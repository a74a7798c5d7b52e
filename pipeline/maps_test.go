package pipeline

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"nstfilter/filter"
	"nstfilter/filter/engine/enginetest"
	"nstfilter/pipeline/photo"
)

// writeMap writes a grey map with the value at(x, y).
func writeMap(t *testing.T, path string, w, h int, at func(x, y int) float32) {
	t.Helper()
	f := filter.NewFrame(w, h)
	for i := range f.Pix {
		f.Pix[i] = at(i%w, i/w%h)
	}
	if err := photo.Write(path, "", f); err != nil {
		t.Fatal(err)
	}
}

// Of each photo stays what its own map says, to the sample; grey mixes.
func TestStrengthOfPhotos(t *testing.T) {
	j := batch(t, 2, enginetest.Reference{})
	j.Strength = "map-%s.png"
	black := func(photo, x int) bool { return x < 6+4*photo }
	for p := range 2 {
		w := 20 + p
		writeMap(t, fmt.Sprintf("map-p%d.png", p), 2*w, 2*18, func(x, _ int) float32 {
			if black(p, x/2) {
				return 0
			}
			return 0.5
		})
	}
	if err := j.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p := range 2 {
		in, err := photo.Read(fmt.Sprintf("p%d.png", p))
		if err != nil {
			t.Fatal(err)
		}
		out, err := photo.Read(fmt.Sprintf("out/p%d.png", p))
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for i, v := range out.Pix {
			switch x := i % in.W; {
			case black(p, x) && x+1 < 6+4*p && v != in.Pix[i]: // the map's edge is between pixels
				t.Fatalf("photo %d, sample %d under black is %g, was %g", p, i, v, in.Pix[i])
			case !black(p, x) && v != in.Pix[i]:
				changed++
			}
		}
		if changed < 3*in.H*(in.W-12) {
			t.Errorf("photo %d: %d samples under grey are painted, want most", p, changed)
		}
	}
}

// A map moves along a film: what it says stays to the bit in each frame, the rest is painted, in
// one pass and in two. What the next frame starts from is painted everywhere.
func TestStrengthOfFilm(t *testing.T) {
	t.Chdir(t.TempDir())
	const frames, given = 5, 4
	black := func(frame, x int) bool { return x/4 == min(frame, given-1) }
	for i := range given {
		writeMap(t, fmt.Sprintf("map-%d.png", i), side, side, func(x, _ int) float32 {
			if black(i, x) {
				return 0
			}
			return 1
		})
	}
	for _, passes := range []int{1, 2} {
		all := pan{frames: frames, cut: 100}
		o, _, err := paintFilmOf(t, all, func(j *Job, _ *order, _ context.CancelFunc) {
			j.Strength, j.Coherence.Passes = "map-%d.png", passes
		})
		if err != nil {
			t.Fatal(err)
		}
		for in := range all.Frames(t.Context()) {
			out, painted, kept := o.written[in.Index], 0, 0
			for i, v := range out.Pix {
				switch {
				case !black(in.Index, i%side) && v != in.Pix[i]:
					painted++
				case black(in.Index, i%side) && passes > 1: // pictures wait in 16 bits
					kept += int(max(v-in.Pix[i], in.Pix[i]-v) * 65536)
				case black(in.Index, i%side) && v != in.Pix[i]:
					kept++
				}
			}
			if kept > 0 || painted < len(in.Pix)*6/8 {
				t.Errorf("%d passes, frame %d: %d samples differ under black; %d of %d are painted", passes, in.Index, kept, painted, len(in.Pix))
			}
			if in.Index != frames-1 {
				continue
			}
			result, _ := o.stylizer.history.Last()
			differ := 0
			for i, v := range result.Pix {
				if black(in.Index, i%side) && v != in.Pix[i] {
					differ++
				}
			}
			if differ < 3*4*side*3/4 {
				t.Errorf("%d passes: the next frame would start from a picture of which %d samples under black are painted", passes, differ)
			}
		}
		if said := strings.Join(o.said, "\n"); strings.Count(said, "map-%d.png has 4 frames, and the input has more") != 1 {
			t.Errorf("%d passes: it says %q, want once that the map ends", passes, said)
		}
	}
}

func TestStrengthOf(t *testing.T) {
	m := filter.NewFrame(5, 1)
	for p := range 3 {
		copy(m.Pix[5*p:], []float32{0.005, 0.25, 0.5, 1, 0.995})
	}
	m.Alpha = []float32{1, 1, 0.5, 0, 1}
	if got, want := strengthOf(m), []float32{0, 0.25, 0.25, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A map is refused if its picture is another one than the input's.
func TestCheckAspect(t *testing.T) {
	for _, c := range []struct {
		mw, mh, w, h int
		ok           bool
	}{
		{640, 360, 1920, 1080, true}, {854, 480, 1920, 1080, true}, {17, 13, 34, 25, true},
		{640, 480, 1920, 1080, false}, {1080, 1920, 1920, 1080, false}, {1920, 1080, 1920, 1040, false}, {720, 576, 1024, 576, false},
	} {
		err := checkAspect(filter.NewFrame(c.mw, c.mh), filter.NewFrame(c.w, c.h))
		if (err == nil) != c.ok {
			t.Errorf("a map of %d×%d for %d×%d: error %v, want one: %t", c.mw, c.mh, c.w, c.h, err, !c.ok)
		}
	}
}

// A job goes on only with the maps that it began with.
func TestMapsDecide(t *testing.T) {
	t.Chdir(t.TempDir())
	writeMap(t, "m.png", side, side, func(_, _ int) float32 { return 0 })
	m, err := findMap("--strength", "m.png", &paintTask{in: "-"})
	if err != nil {
		t.Fatal(err)
	}
	w := &worker{decisive: map[string]string{}}
	before, err := w.decisiveFor(paintTask{strength: m})
	if err != nil {
		t.Fatal(err)
	}
	writeMap(t, "m.png", side, side, func(_, _ int) float32 { return 1 })
	after, err := w.decisiveFor(paintTask{strength: m})
	if err != nil {
		t.Fatal(err)
	}
	if without, err := w.decisiveFor(paintTask{}); err != nil || before["strength"] == after["strength"] || without["strength"] != "" {
		t.Errorf("%q before, %q after, %q without a map (%v)", before, after, without, err)
	}
}

func TestFindMapErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	writeMap(t, "a.png", side, side, func(_, _ int) float32 { return 0 })
	writeMap(t, "m1.png", side, side, func(_, _ int) float32 { return 0 })
	if err := os.Mkdir("folder.png", 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"none.png":   "--strength none.png: no such file",
		"%s.png":     "%s stands for the name",
		"n%d.png":    "--strength n%d.png: no such file, with any number",
		"folder.png": "folder.png: not a regular file",
	} {
		if _, err := findMap("--strength", text, &paintTask{in: "-"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", text, err, want)
		}
	}
	if _, err := findMap("--strength", "m%d.png", &paintTask{in: "a.png"}); err == nil || !strings.Contains(err.Error(), "a.png is a photo: name one picture") {
		t.Errorf("a film's maps for a photo: error %v", err)
	}
}

// drawnFace is a film of a drawn face that moves to the right by two pixels a frame, and round
// the edges.
type drawnFace struct{ picture *filter.Frame }

func (d drawnFace) Frames(context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		w := d.picture.W
		for i := range 4 {
			f := filter.NewFrame(w, d.picture.H)
			f.Index, f.PTS, f.TimeBase = i, int64(i), filter.Rational{Num: 1, Den: 25}
			for k := range f.Pix {
				f.Pix[k] = d.picture.Pix[k-k%w+(k%w-2*i+w)%w]
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}

// Of each frame the face stays to the bit, where it is by then, and with a map what either leaves
// alone. What is away from it is painted.
func TestProtectFaces(t *testing.T) {
	picture, err := photo.Read("faces/testdata/drawn.png")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	w := picture.W
	writeMap(t, "map.png", w, w, func(_, y int) float32 { return float32(min(y/16, 1)) })
	for _, init := range []string{"previous", "content"} { // with flow and without
		o, _, err := paintFilmOf(t, drawnFace{picture}, func(j *Job, _ *order, _ context.CancelFunc) {
			j.Protect, j.Strength, j.Coherence.Passes, j.Filter.Init = "faces", "map.png", 1, init
		})
		if err != nil {
			t.Fatal(err)
		}
		for in := range (drawnFace{picture}).Frames(t.Context()) {
			differ := func(x, y int) bool { return o.written[in.Index].Pix[y*w+x] != in.Pix[y*w+x] }
			face, above, below := 0, 0, 0
			for y := range 20 {
				for x := range 20 {
					if differ(w/2+2*in.Index-10+x, w/2-10+y) {
						face++
					}
				}
			}
			for x := range w {
				if differ(x, 5) {
					above++
				}
				if differ(x, w-3) {
					below++
				}
			}
			if face > 0 || above > 0 || below < w*3/4 {
				t.Errorf("--init %s, frame %d: %d pixels of the face are painted, %d under the map's black, %d of %d away from both", init, in.Index, face, above, below, w)
			}
		}
	}
}
