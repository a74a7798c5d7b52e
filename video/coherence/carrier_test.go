package coherence

import (
	"math"
	"testing"

	"nstfilter/filter"
)

func newTestCarrier(t *testing.T) *Carrier {
	c, err := NewCarrier(DefaultOptions(), 2)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// next takes a frame of a scene that goes on.
func (c *Carrier) next(t *testing.T, f *filter.Frame, begins bool) {
	t.Helper()
	got, err := c.Next(f)
	if err != nil || got != begins {
		t.Fatalf("frame %d begins a scene: %v, %v", f.Index, got, err)
	}
}

// Over twenty frames errors of the flow do not add up: the painting is where the film has moved it.
func TestCarrierDoesNotDrift(t *testing.T) {
	const w, h, frames = 128, 96, 20
	c := newTestCarrier(t)
	at := func(i int) *filter.Frame { return scene(w, h, 1.3*float64(i), -0.4*float64(i), 1) }
	c.next(t, at(0), true)
	c.Key(styled(at(0)), nil)
	if h := c.Held(); h.Missing() != 0 || away(h.Pix, styled(at(0)).Pix, nil) != 0 {
		t.Error("the painting's own frame is not the painting")
	}
	for i := 1; i <= frames; i++ {
		c.next(t, at(i), false)
	}
	held := c.Held()
	// The picture has moved by 26 pixels to the left and 8 down: a quarter and more is not seen.
	if missing := held.Missing(); missing < 0.2 || missing > 0.4 {
		t.Errorf("%.2f of the picture is missing", missing)
	}
	if d := away(held.Pix, styled(at(frames)).Pix, held.Trust); d > 1.0/255 {
		t.Errorf("what is held is %.2f/255 from where the film has it", 255*d)
	}
	c.next(t, styled(scene(w, h, 500, 70, 40)), true)
	if c.Held() != nil {
		t.Error("a painting is carried over a cut")
	}
}

// What was hidden is held again once it comes back, and what hides it is not painted over.
func TestCarrierFindsWhatComesBack(t *testing.T) {
	const w, h = 128, 96
	at := func(left int) *filter.Frame { // a post of 20 pixels
		f := scene(w, h, 0, 0, 1)
		for i := range f.Pix {
			if x := i % w; x >= left && x < left+20 {
				f.Pix[i] = 0.1 + 0.02*float32(i/w%5)
			}
		}
		return f
	}
	c := newTestCarrier(t)
	c.next(t, at(-20), true)
	c.Key(styled(at(-20)), nil)
	for left := -15; left <= 80; left += 5 {
		c.next(t, at(left), false)
	}
	trust := c.Held().Trust
	mean := func(x0, x1 int) (sum float64) {
		for y := 8; y < h-8; y++ {
			for x := x0; x < x1; x++ {
				sum += float64(trust[y*w+x]) / float64((x1-x0)*(h-16))
			}
		}
		return sum
	}
	if m := mean(4, 72); m < 0.95 {
		t.Errorf("of what the post has passed %.2f is held", m)
	}
	if m := mean(84, 96); m > 0.05 {
		t.Errorf("of the post itself %.2f is held, and the painting does not show it", m)
	}
}

// Where two paintings differ the nearer one is seen nearly alone; elsewhere they are mixed.
func TestBetweenDoesNotDouble(t *testing.T) {
	const w, h = 40, 20
	flat := func(v float32) *Held {
		pix := make([]float32, 3*w*h)
		for i := range pix {
			pix[i] = v
		}
		return newHeld(pix, nil)
	}
	for _, c := range []struct {
		a, b       float32
		part       float64
		least, top float64
	}{
		{0.500, 0.504, 0.25, 0.5005, 0.5015},
		{0, 1, 0.25, 0, 0.001},
		{0, 1, 0.75, 0.999, 1},
		{0, 1, 0.5, 0.49, 0.51},
	} {
		if got := float64(Between(flat(c.a), flat(c.b), c.part, w, h, 2).Pix[w*h/2]); got < c.least || got > c.top {
			t.Errorf("%v and %v at %v are %v, want %v … %v", c.a, c.b, c.part, got, c.least, c.top)
		}
	}
	left := flat(0)
	clear(left.Trust)
	if got := Between(left, flat(1), 0.1, w, h, 2); got.Pix[0] != 1 || got.Trust[0] != 1 {
		t.Errorf("what only one shows is %v, trusted %v", got.Pix[0], got.Trust[0])
	}
}

// away is the mean magnitude of the difference of a and b, RGB planes weighted by trust.
func away(a, b, trust []float32) (mean float64) {
	total := 0.0
	for i, v := range a {
		w := 1.0
		if trust != nil {
			w = float64(trust[i%len(trust)])
		}
		mean, total = mean+w*math.Abs(float64(v-b[i])), total+w
	}
	return mean / total
}
