package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"nstfilter/filter"
)

// crossing is a pan with a flash, across which something moves, so that older frames are
// needed for what it has hidden.
type crossing struct{ frames int }

func (c crossing) Frames(ctx context.Context) Frames {
	return mapStream(pan{frames: c.frames, cut: 9}.Frames(ctx), func(f *filter.Frame) (*filter.Frame, error) {
		for k := range f.Pix {
			x, y := k%side, k/side%side
			if x >= 4*f.Index-8 && x < 4*f.Index && y > 8 && y < 24 {
				f.Pix[k] = 0.9 - float32((x+y)%5)/20
			}
			if f.Index == 6 {
				f.Pix[k] = 1
			}
		}
		return f, nil
	})
}

// Results are the same bits whether frames are analysed ahead or not.
func TestLookingAheadChangesNothing(t *testing.T) {
	for _, c := range []struct {
		name           string
		passes, frames int
		change         func(*Job)
	}{
		{"once", 1, 12, func(*Job) {}},
		{"passes", 3, 12, func(j *Job) { j.Coherence.Lookahead = 4 }},
		{"no flow", 1, 4, func(j *Job) { j.Coherence.Flow = "none" }},
		{"styles that change", 1, 12, func(j *Job) {
			j.Style = append(j.Style, j.Style[0]+"@0.48")
			j.Coherence.StyleFade = 400 * time.Millisecond
		}},
		{"the size worked at", 1, 3, func(j *Job) { j.Filter.Size, j.Filter.OutputSize = 24, "work" }},
		{"afresh", 1, 3, func(j *Job) { j.Filter.Init = "content" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var results [2][]*filter.Frame
			for i := range results {
				o, _, err := paintFilmOf(t, crossing{c.frames}, func(j *Job, _ *order, _ context.CancelFunc) {
					j.ZeroLatency, j.Coherence.Passes = i == 0, c.passes
					c.change(j)
				})
				if err != nil || len(o.written) != c.frames {
					t.Fatalf("%d frames, %v", len(o.written), err)
				}
				results[i] = o.written
			}
			for i, f := range results[0] {
				if k := slices.Compare(f.Pix, results[1][i].Pix); k != 0 {
					t.Fatalf("frame %d is another", i)
				}
			}
		})
	}
}

// live yields frames as they are asked for, which it notes, then waits as a live
// input does.
type live struct {
	frames int
	asked  func(i int)
	t      *testing.T
}

func (l live) Frames(ctx context.Context) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		i := 0
		l.asked(i)
		for f, err := range (crossing{l.frames}).Frames(ctx) {
			if !yield(f, err) {
				return
			}
			i++
			l.asked(i)
		}
		select {
		case <-ctx.Done():
			yield(nil, ctx.Err())
		case <-time.After(10 * time.Second):
			l.t.Error("it still waits for input")
		}
	}
}

// While one frame is painted the next one is analysed, and no further one.
func TestLookOneFrameAhead(t *testing.T) {
	asked, most := make(chan int, 9), make(chan int, 9)
	var once bool
	_, dst, err := paintFilmOf(t, live{3, func(i int) { asked <- i }, t}, func(j *Job, o *order, cancel context.CancelFunc) {
		j.Coherence.Passes = 1
		o.onStep = func() {
			if once {
				cancel()
				return
			}
			once = true
			<-asked // frame 0, which is painted
			select {
			case i := <-asked:
				most <- i
			case <-time.After(10 * time.Second):
				t.Error("the next frame is not asked for while one is painted")
			}
			select {
			case i := <-asked:
				t.Errorf("frame %d is asked for while the first is painted", i)
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	if len(most) != 1 || <-most != 1 || dst.ends != 1 || err == nil {
		t.Errorf("ended %d times, %v", dst.ends, err)
	}
}

// A frame that has been analysed is not painted after Stop.
func TestStopLeavesAnalyzedFrames(t *testing.T) {
	for _, passes := range []int{1, 2} {
		asked := make(chan int, 9)
		o, dst, err := paintFilmOf(t, live{3, func(i int) { asked <- i }, t}, func(j *Job, o *order, cancel context.CancelFunc) {
			j.Coherence.Passes = passes
			stop, interrupt := context.WithCancel(t.Context())
			j.Stop = stop
			o.onStep = func() {
				if stop.Err() == nil {
					for i := range asked {
						if i == 1 {
							break
						}
					}
					interrupt()
				}
			}
		})
		if err != nil || len(o.written) != 1 || dst.ends != 1 || dst.cause != nil {
			t.Errorf("%d passes: %d frames, %v", passes, len(o.written), err)
		}
	}
}

// spoiled yields frames that cannot be painted.
type spoiled struct{ live }

func (s spoiled) Frames(ctx context.Context) Frames {
	return mapStream(s.live.Frames(ctx), func(f *filter.Frame) (*filter.Frame, error) {
		f.Pix[0] = float32(math.NaN())
		return f, nil
	})
}

// An error is returned while the source waits for input.
func TestErrorWhileTheSourceWaits(t *testing.T) {
	for _, passes := range []int{1, 2} {
		film := spoiled{live{1, func(int) {}, t}}
		_, dst, err := paintFilmOf(t, film, func(j *Job, _ *order, _ context.CancelFunc) { j.Coherence.Passes = passes })
		if !strings.Contains(fmt.Sprint(err), "frame 0: the loss is") || dst.ends != 1 {
			t.Errorf("%d passes: %v, ended %d times", passes, err, dst.ends)
		}
	}
}
