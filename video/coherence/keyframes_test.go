package coherence

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"nstfilter/filter"
)

// finder returns a finder that has seen the frames, of a film with so many a second.
func finder(t *testing.T, rate float64, frames ...*filter.Frame) *KeyframeFinder {
	t.Helper()
	k, err := NewKeyframeFinder(DefaultOptions(), rate, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range frames {
		if err := k.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// shot is n frames, which see makes of their numbers.
func shot(n int, see func(i float64) *filter.Frame) (frames []*filter.Frame) {
	for i := range n {
		frames = append(frames, see(float64(i)))
	}
	return frames
}

// still is a shot in which nothing moves. How bright it is depends on the seed modulo 3.
func still(n int, seed float64) []*filter.Frame {
	f := scene(96, 64, 0, 0, seed)
	for i := range f.Pix {
		f.Pix[i] = 0.4*f.Pix[i] + 0.3*float32(math.Mod(seed, 3))
	}
	return shot(n, func(float64) *filter.Frame { return f.With(slices.Clone(f.Pix)) })
}

// zoomed is a picture at a quarter of its size, enlarged about its middle.
func zoomed(large *filter.Frame, scale float64) *filter.Frame {
	w, h := large.W/4, large.H/4
	f := filter.NewFrame(w, h)
	for p := range 3 {
		for y := range h {
			for x := range w {
				u, v := int((float64(x-w/2)/scale+float64(w)/2)*4), int((float64(y-h/2)/scale+float64(h)/2)*4)
				f.Pix[(p*h+y)*w+x] = large.Pix[(p*large.H+v)*large.W+u]
			}
		}
	}
	return f
}

// blurred is f, averaged over 9×9 pixels.
func blurred(f *filter.Frame) *filter.Frame {
	pix := make([]float32, len(f.Pix))
	newPool(1).boxMean(pix, f.Pix, f.W, f.H, 4)
	return f.With(pix)
}

func TestKeyframesNeedFlow(t *testing.T) {
	o := DefaultOptions()
	o.Flow = "none"
	if _, err := NewKeyframeFinder(o, 24, 1); err == nil {
		t.Error("no error for --flow none")
	}
}

func TestKeyframesOfStillScenes(t *testing.T) {
	k := finder(t, 24, slices.Concat(still(48, 1), still(60, 2))...)
	keys := k.Choose(0)
	if len(keys) != 2 || k.Scenes() != 2 {
		t.Fatalf("%v in %d scenes, want one in each of 2", keys, k.Scenes())
	}
	for i, want := range []struct{ from, to int }{{12, 36}, {48 + 15, 48 + 45}} {
		if key := keys[i]; key.Frame < want.from || key.Frame > want.to || key.Scene != i+1 || key.Shows < 0.99 {
			t.Errorf("%+v is not about the middle of scene %d, or does not show all of it", key, i+1)
		}
	}
	if shown := k.Shown(keys); shown < 0.99 || shown > 1 {
		t.Errorf("%.3f of the film is shown", shown)
	}
}

// A pan by the picture's width: two keyframes show nearly all of it, one three quarters.
func TestKeyframesOfPan(t *testing.T) {
	frames := shot(49, func(i float64) *filter.Frame { return scene(144, 80, 3*i, 0, 1) })
	k := finder(t, 12, frames...)
	keys := k.Choose(0)
	if len(keys) != 2 || keys[0].Frame > 16 || keys[1].Frame < 32 {
		t.Fatalf("%+v, want one at the beginning and one at the end", keys)
	}
	if shown := k.Shown(keys); shown < 0.94 || math.Abs(shown-keys[0].Adds-keys[1].Adds) > 1e-9 {
		t.Errorf("%+v show %.3f", keys, shown)
	}
	if keys := finder(t, 60, frames...).Choose(0); len(keys) != 1 {
		t.Errorf("%+v, want one: the second would add a fifth of a second", keys)
	}
	if one := k.Choose(1); len(one) != 1 || one[0].Frame < 16 || one[0].Frame > 32 || one[0].Shows < 0.65 || one[0].Shows > 0.8 {
		t.Errorf("the best one is %+v, want about three quarters, from the middle", one)
	}
}

// How much of a scene its first frame shows: of what it is enlarged by half, and not three times;
// not of what has become dark, nor of what has been hidden meanwhile.
func TestWhatFirstFrameShows(t *testing.T) {
	large := scene(4*120, 4*80, 0, 0, 1)
	for _, c := range []struct {
		name        string
		least, most float64
		see         func(i float64) *filter.Frame // i from 0 to 1
	}{
		{"enlarged by 1.4", 0.9, 1, func(i float64) *filter.Frame { return zoomed(large, math.Pow(1.4, i)) }},
		{"enlarged by 3", 0.45, 0.65, func(i float64) *filter.Frame { return zoomed(large, math.Pow(3, i)) }},
		{"a fade", 0.4, 0.7, func(i float64) *filter.Frame {
			f := scene(120, 80, 0, 0, 1)
			for k := range f.Pix {
				f.Pix[k] *= float32(1 - 0.6*i)
			}
			return f
		}},
		{"a thing that passes by", 0.3, 0.5, func(i float64) *filter.Frame {
			f, thing := scene(120, 80, 0, 0, 1), scene(40, 80, 0, 0, 3)
			at := int(160*i) - 40
			for k := range f.Pix {
				if x := k%120 - at; x >= 0 && x < 40 {
					f.Pix[k] = thing.Pix[k/120*40+x]
				}
				f.Pix[k] = 0.3 + 0.4*f.Pix[k] // in colours like those behind it
			}
			return f
		}},
	} {
		k := finder(t, 24, shot(48, func(i float64) *filter.Frame { return c.see(i / 47) })...)
		k.endPart()
		sums := lifeSums{k.tracks.lives, k.tracks.length}
		if got := float64(sums.shows(0)) / float64(k.parts[0].cells); got < c.least || got > c.most {
			t.Errorf("%s: the first frame shows %.2f, want %.2f to %.2f", c.name, got, c.least, c.most)
		}
	}
}

// Points do not pile up where the picture shrinks.
func TestPointsOfTracks(t *testing.T) {
	large := scene(4*120, 4*80, 0, 0, 1)
	tr := finder(t, 24, shot(48, func(i float64) *filter.Frame { return zoomed(large, math.Pow(4, 1-i/47)) })...).tracks
	if most := tr.cells() * 3 / 2; len(tr.points) > most {
		t.Errorf("%d points, want at most %d", len(tr.points), most)
	}
}

func TestKeyframesAreSharp(t *testing.T) {
	see := func(i float64) *filter.Frame { return scene(96, 64, 2*i, 0, 1) }
	sharp := shot(40, see)
	best := finder(t, 24, sharp...).Choose(1)[0].Frame
	sharp[best] = blurred(sharp[best])
	if keys := finder(t, 24, sharp...).Choose(1); keys[0].Frame == best || max(keys[0].Frame-best, best-keys[0].Frame) > 8 {
		t.Errorf("%+v: frame %d is blurred, and those beside it show the same", keys, best)
	}
	for i := range sharp {
		if i != 7 {
			sharp[i] = blurred(see(0))
		}
	}
	sharp[7] = see(0)
	if keys := finder(t, 24, sharp...).Choose(0); len(keys) != 1 || keys[0].Frame != 7 {
		t.Errorf("%+v: frame 7 alone is sharp, and shows as much as any", keys)
	}
}

// A flash has no keyframe unless there is nothing else; given a number, it goes to what shows
// the most.
func TestKeyframesOfShortScenes(t *testing.T) {
	frames := slices.Concat(still(30, 1), still(3, 2), still(12, 3), still(20, 5))
	k := finder(t, 24, frames...)
	scenes := func(keys []Keyframe) (all []int) {
		for _, key := range keys {
			all = append(all, key.Scene)
		}
		return all
	}
	if got := scenes(k.Choose(0)); !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("keyframes of scenes %v, want 1, 3, 4", got)
	}
	if got := scenes(k.Choose(2)); !slices.Equal(got, []int{1, 4}) {
		t.Errorf("two keyframes of scenes %v, want 1 and 4", got)
	}
	if got := scenes(k.Choose(100)); !slices.Contains(got, 2) || len(got) > 20 {
		t.Errorf("100 keyframes of scenes %v", got)
	}
	if keys := finder(t, 24, still(2, 1)...).Choose(0); len(keys) != 1 {
		t.Errorf("%v of a film of two frames, want one", keys)
	}
}

// A scene that is too long for the memory is looked at in parts.
func TestKeyframesOfLongScene(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of frames")
	}
	f := scene(16, 16, 0, 0, 1)
	k := finder(t, 24, shot(longestPart+100, func(float64) *filter.Frame { return f })...)
	if keys := k.Choose(0); len(keys) != 2 || k.Scenes() != 1 || keys[0].Shows < 0.9 || math.Abs(k.Shown(keys)-1) > 0.01 {
		t.Errorf("%+v of %d scenes", keys, k.Scenes())
	}
}

// For each number of keyframes, none of all choices is better than the one that choosePart finds.
func TestChoosePart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, rate = 27, 9.0 // 9 candidates
	for range 20 {
		tr := newTracks(40, 40, n+3)
		sharp := make([]float64, n)
		for a := range n {
			sharp[a] = 0.5 + random.Float64()/2
			for b := a; b < n; b++ {
				if random.IntN(4) == 0 {
					tr.lives[a*tr.length+b] = uint32(random.IntN(30))
				}
			}
		}
		lives := slices.Clone(tr.lives)
		frames := sharpest(sharp, 3)
		cells := float64(n * tr.cells())
		costs := blurCosts(frames, sharp, sumLives(slices.Clone(lives), tr.length, n), rate, cells)
		worth := func(keys []int) (value float64, shown int) {
			for a := range n {
				for b := a; b < n; b++ {
					if slices.ContainsFunc(keys, func(k int) bool { return a <= k && k <= b }) {
						shown += int(lives[a*tr.length+b])
					}
				}
			}
			value = float64(shown)
			for m := range n {
				nearest := n
				for _, k := range keys {
					nearest = min(nearest, max(m-k, k-m))
				}
				value -= delayCost * cells * float64(nearest) / (n * n)
			}
			for i, k := range frames {
				if slices.Contains(keys, k) {
					value -= costs[i]
				}
			}
			return value, shown
		}
		best := map[int]float64{}
		for set := 1; set < 1<<len(frames); set++ {
			var keys []int
			for i, k := range frames {
				if set>>i&1 == 1 {
					keys = append(keys, k)
				}
			}
			value, _ := worth(keys)
			if old, ok := best[len(keys)]; !ok || value > old {
				best[len(keys)] = value
			}
		}
		p := choosePart(tr, sharp, rate, 1, 0)
		for j, c := range p.choices {
			var keys []int
			for _, k := range c.keys {
				keys = append(keys, k.frame)
			}
			value, shown := worth(keys)
			if len(keys) != j+1 || shown != c.cells || math.Abs(value-best[j+1]) > 1e-6*cells {
				t.Fatalf("%d keyframes %v show %d of value %.1f; it says %d, and the best have %.1f", j+1, keys, shown, value, c.cells, best[j+1])
			}
		}
	}
}
