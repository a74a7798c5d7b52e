package filter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

// liveOptions paint small pictures at three scales.
func liveOptions() Options {
	o := severalSizes(tinyOptions())
	o.MinSize, o.Optimizer, o.ContentWeight = 20, "lbfgs", Numbers{0.4, 0.2}
	return o
}

// paintLive paints with a Live; onStep is called after each step, and the pictures that are
// looked at are counted.
func paintLive(t *testing.T, o Options, onLook func(*Live, *Frame, Progress), onStep func(*Live, Progress)) (*Frame, *Report) {
	t.Helper()
	f := newFilter(t, o, tiny(false), smooth(40, 30, 1))
	f.Live = NewLive(func(look Look) { onLook(f.Live, look.Frame, look.Progress) })
	f.OnProgress = func(p Progress) { onStep(f.Live, p) }
	onStep(f.Live, Progress{})
	return paint(t, f, smooth(60, 50, 2), Guide{})
}

func noLook(*Live, *Frame, Progress) {}

func TestLookingChangesNothing(t *testing.T) {
	for _, optimizer := range []string{"adam", "lbfgs"} {
		for _, parameters := range []string{"pixels", "pyramid"} {
			t.Run(optimizer+" "+parameters, func(t *testing.T) {
				o := liveOptions()
				o.Optimizer, o.Parameters = optimizer, parameters
				want, _ := paint(t, newFilter(t, o, tiny(false), smooth(40, 30, 1)), smooth(60, 50, 2), Guide{})
				looks, last := 0, (*Frame)(nil)
				got, report := paintLive(t, o, func(_ *Live, f *Frame, p Progress) {
					looks, last = looks+1, f
					if p.W > 0 && looks > 1 && p.Iteration < p.Iterations && (f.W != p.W || f.H != p.H) {
						t.Errorf("a picture of %d×%d at a scale of %d×%d", f.W, f.H, p.W, p.H)
					}
				}, func(l *Live, _ Progress) { l.Look() })
				if !slices.Equal(got.Pix, want.Pix) {
					t.Error("the result is another")
				}
				if looks < 3*6 || last.W != 60 || last.H != 50 || slices.Min(last.Pix) < 0 || slices.Max(last.Pix) > 1 || len(report.ByHand) > 0 {
					t.Errorf("%d pictures, the last of %d×%d; by hand: %q", looks, last.W, last.H, report.ByHand)
				}
			})
		}
	}
}

// Factors from the start are the same as other weights.
func TestFactorsAreWeights(t *testing.T) {
	for _, loss := range []string{"gram+means", "wasserstein"} {
		o := liveOptions()
		o.StyleLoss = loss
		by := Factors{Content: 2, Style: 0.5, TV: 4}
		got, report := paintLive(t, o, noLook, func(l *Live, p Progress) {
			if p.Scale == 0 {
				l.Change(func(o *Orders) { o.Factors = by })
			}
		})
		for i := range o.ContentWeight {
			o.ContentWeight[i] *= by.Content
		}
		for i := range o.TVWeight {
			o.TVWeight[i] *= by.TV
		}
		o.StyleWeight *= by.Style
		want, wanted := paint(t, newFilter(t, o, tiny(false), smooth(40, 30, 1)), smooth(60, 50, 2), Guide{})
		if !slices.Equal(got.Pix, want.Pix) || report.Losses.Total != wanted.Losses.Total {
			t.Errorf("%s: another result: losses %+v and %+v", loss, report.Losses, wanted.Losses)
		}
		if text := strings.Join(report.ByHand, "; "); text != "scale 1, step 1: content-weight × 2, style-weight × 0.5, tv-weight × 4" {
			t.Errorf("by hand: %q", text)
		}
	}
}

func TestFactorsActAtOnce(t *testing.T) {
	for _, optimizer := range []string{"adam", "lbfgs"} {
		o := liveOptions()
		o.Optimizer, o.MinSize, o.Iterations = optimizer, 0, Steps{12}
		var content [13]float64           // by step
		end := func(by float64) float64 { // the content loss, without its factor
			_, report := paintLive(t, o, noLook, func(l *Live, p Progress) {
				if content[p.Iteration] = p.Losses.Content; p.Iteration == 6 {
					l.Change(func(o *Orders) { o.Factors.Content = by })
				}
			})
			return report.Losses.Content / by
		}
		if less, more := end(0.1), end(50); more > 0.7*less {
			t.Errorf("%s: a content loss of %.3g with a fiftyfold weight, %.3g with a tenth", optimizer, more, less)
		}
		// L-BFGS compares with the loss that the picture has now.
		if optimizer == "lbfgs" && content[7] < 5*content[6] {
			t.Errorf("a content loss of %.3g before its weight is fifty times as large, %.3g behind the next step", content[6], content[7])
		}
	}
}

func TestPause(t *testing.T) {
	o := liveOptions()
	want, _ := paint(t, newFilter(t, o, tiny(false), smooth(40, 30, 1)), smooth(60, 50, 2), Guide{})
	looked := 0
	got, report := paintLive(t, o, func(l *Live, _ *Frame, p Progress) {
		if looked++; !l.Orders().Paused || p.Iteration != 3 {
			t.Errorf("step %d is painted while it pauses", p.Iteration)
		}
		if looked < 3 {
			l.Look()
		} else {
			l.Change(func(o *Orders) { o.Paused = false })
		}
	}, func(l *Live, p Progress) {
		if p.Scale == 2 && p.Iteration == 3 {
			l.Change(func(o *Orders) { o.Paused = true })
			l.Look()
		}
	})
	if looked != 3 || !slices.Equal(got.Pix, want.Pix) || len(report.ByHand) > 0 {
		t.Errorf("%d pictures while it paused; by hand: %q", looked, report.ByHand)
	}
}

func TestCancelWhilePaused(t *testing.T) {
	f := newFilter(t, liveOptions(), tiny(false), smooth(40, 30, 1))
	ctx, cancel := context.WithCancel(context.Background())
	f.Live = NewLive(func(Look) { cancel() })
	f.Live.Change(func(o *Orders) { o.Paused = true })
	f.Live.Look()
	if _, _, err := f.Paint(ctx, smooth(60, 50, 2), Guide{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNextScaleAndStop(t *testing.T) {
	var steps []int // by scale
	count := func(p Progress) {
		for len(steps) < p.Scale {
			steps = append(steps, 0)
		}
		if p.Scale > 0 {
			steps[p.Scale-1]++
		}
	}
	out, report := paintLive(t, liveOptions(), noLook, func(l *Live, p Progress) {
		if count(p); p.Scale == 1 && p.Iteration == 2 {
			l.Change(func(o *Orders) { o.Next++ })
		}
		if p.Scale == 2 && p.Iteration == 4 {
			l.Change(func(o *Orders) { o.Stop = true })
		}
	})
	if !slices.Equal(steps, []int{2, 4}) || out.W != 60 || out.H != 50 || report.Stopped != "stopped" {
		t.Errorf("steps %v, %d×%d, %s", steps, out.W, out.H, report.Stopped)
	}
	if text := strings.Join(report.ByHand, "; "); text != "scale 1, step 3: on to the next scale; scale 2, step 5: stopped" {
		t.Errorf("by hand: %q", text)
	}
	// It has the style's colours all the same.
	f := newFilter(t, liveOptions(), tiny(false), smooth(40, 30, 1))
	is, want := coloursOf(out.Pix, nil), f.styleColours(0, []float64{1}, func(s *Frame) size { return size{s.W, s.H} })
	for i := range 3 {
		if d := is.mean[i] - want.mean[i]; d*d > 0.02*0.02 {
			t.Errorf("colours %v, of the style %v", is.mean, want.mean)
		}
	}
}

// With Hold a picture's last steps are made again for other weights, until it is stopped.
func TestHold(t *testing.T) {
	steps, held := 0, 0
	_, report := paintLive(t, liveOptions(), func(l *Live, _ *Frame, p Progress) {
		held++
		l.Change(func(o *Orders) {
			if o.Stop = held == 3; !o.Stop {
				o.Factors.Content = 1 + float64(held)
			}
		})
	}, func(l *Live, p Progress) {
		switch {
		case p.Scale == 0:
			l.Change(func(o *Orders) { o.Hold = true })
		case p.Scale == p.Scales:
			if steps++; p.Iteration == p.Iterations {
				l.Look()
			}
		}
	})
	if steps != 3*6 || held != 3 || report.Stopped != "iterations" {
		t.Errorf("%d steps at the last scale, held %d times, %s", steps, held, report.Stopped)
	}
	if text := strings.Join(report.ByHand, "; "); text != "scale 3, step 7: content-weight × 2; scale 3, step 7: content-weight × 3" {
		t.Errorf("by hand: %q", text) // to stop a picture that is done is no change
	}
}

// A slider that is moved to and fro does not fill the record.
func TestManyChangesByHand(t *testing.T) {
	o := liveOptions()
	o.Iterations = Steps{30}
	_, report := paintLive(t, o, noLook, func(l *Live, p Progress) {
		l.Change(func(o *Orders) { o.Factors.TV = 1 + float64(p.Iteration)/100 })
	})
	if n := len(report.ByHand); n != mostByHand || !strings.Contains(report.ByHand[n-1], " changes more, the last at scale 3, step 30: tv-weight × 1.29") {
		t.Errorf("%d changes: %q", n, report.ByHand)
	}
}
