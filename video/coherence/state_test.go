package coherence

import (
	"bytes"
	"reflect"
	"testing"

	"nstfilter/filter"
)

// movingFilm is a pan with a thing that hides and shows what is behind it, a cut at frame 7,
// alpha, and two regions whose edge moves otherwise.
func movingFilm(w, h, n int) (all []*filter.Frame) {
	for i := range n {
		seed := 1.0
		if i >= 7 {
			seed = 2.5
		}
		f := scene(w, h, 1.5*float64(i), 0.5*float64(i), seed)
		f.Index, f.Alpha = i, make([]float32, w*h)
		for y := range h {
			for x := range w {
				f.Alpha[y*w+x] = min(1, float32(x+i)/float32(w))
				if x >= 4*i && x < 4*i+20 && y > 10 && y < 40 {
					for p := range 3 {
						f.Pix[(p*h+y)*w+x] = float32((x-4*i)*7%20) / 20
					}
				}
			}
		}
		all = append(all, divided(f, 10+70*(i/2%2)))
	}
	return all
}

// A film that goes on from a state of any frame has the same guides, to the bit.
func TestStateGoesOn(t *testing.T) {
	film := movingFilm(96, 64, 12)
	for name, change := range map[string]func(*Options){
		"medium":  func(*Options) {},
		"no flow": func(o *Options) { o.Flow = "none" },
	} {
		o := DefaultOptions()
		change(&o)
		follow := func(h historian, from int, states bool) (guides []filter.Guide, saved [][2][]byte) {
			for i, f := range film[from:] {
				h.SetShares([]float64{1 - float64(from+i)/40, float64(from+i) / 40})
				guides = append(guides, h.Guide(f))
				result := styled(f)
				result.Regions = nil // nobody asks for a result's
				h.Keep(result, []float32{float32(from + i)})
				if states {
					var a, b bytes.Buffer
					if err := h.Analyzer.WriteState(&a); err != nil {
						t.Fatal(err)
					}
					if err := h.History.WriteState(&b); err != nil {
						t.Fatal(err)
					}
					saved = append(saved, [2][]byte{a.Bytes(), b.Bytes()})
				}
			}
			return guides, saved
		}
		want, states := follow(historyBy(t, o), 0, true)
		for _, at := range []int{0, 3, 6, 7, 9} {
			h := historyBy(t, o)
			if err := h.Analyzer.ReadState(bytes.NewReader(states[at][0])); err != nil {
				t.Fatal(err)
			}
			if err := h.History.ReadState(bytes.NewReader(states[at][1])); err != nil {
				t.Fatal(err)
			}
			var again bytes.Buffer
			if err := h.Analyzer.WriteState(&again); err != nil || !bytes.Equal(again.Bytes(), states[at][0]) {
				t.Errorf("%s: the state behind frame %d is another once it is restored (%v)", name, at, err)
			}
			if result, margin := h.Last(); result.Index != at || margin[0] != float32(at) {
				t.Errorf("%s: the last result is that of frame %d, want %d", name, result.Index, at)
			}
			got, _ := follow(h, at+1, false)
			for i := range got {
				if !reflect.DeepEqual(got[i], want[at+1+i]) {
					t.Errorf("%s: from frame %d on, frame %d has another guide", name, at, at+1+i)
				}
			}
		}
	}
}

func FuzzState(f *testing.F) {
	h := NewHistory(1)
	a, err := NewAnalyzer(DefaultOptions(), 1)
	if err != nil {
		f.Fatal(err)
	}
	for _, frame := range movingFilm(24, 16, 3) {
		analysis, err := a.Analyze(frame)
		if err != nil {
			f.Fatal(err)
		}
		h.Guide(analysis)
		h.Keep(styled(frame), nil)
	}
	var states [2]bytes.Buffer
	a.WriteState(&states[0])
	h.WriteState(&states[1])
	f.Add(states[0].Bytes())
	f.Add(states[1].Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		h := NewHistory(1)
		a, err := NewAnalyzer(DefaultOptions(), 1)
		if err != nil {
			t.Fatal(err)
		}
		if a.ReadState(bytes.NewReader(b)) == nil && a.content != nil && a.content.W*a.content.H < 1<<12 {
			if _, err := a.Analyze(scene(a.content.W, a.content.H, 0, 0, 1)); err != nil {
				t.Error(err)
			}
		}
		h.ReadState(bytes.NewReader(b))
	})
}
