package pipeline

import (
	"context"
	"fmt"
	"iter"
	"math"
	"time"

	"nstfilter/filter"
	"nstfilter/video/coherence"
)

const (
	// loopFrames are the last frames, at most, that turn into the first one for --loop: about a
	// second, in which strokes change their places without being seen to.
	loopFrames = 24
	// rampFrames are how many frames a key that is behind them takes to become full where no other
	// key is before them.
	rampFrames = 8
)

// holder is the stage that carries paintings along the film to the frames that they are not of:
// those of --key, and for --loop the first frame's result. Frames wait for a key that is at most
// reach frames ahead, and the last ones for the end of a --loop.
type holder struct {
	*stylizer
	yield             func(*analyzedFrame, error) bool
	forward, backward *coherence.Carrier
	spill             *coherence.Spill
	waiting           []waitingFrame // one for each in spill
	reach             int64          // frames

	left    int // index of the frame whose painting is carried forward, or −1
	leftKey int // the key that it is
	used    []bool
	started time.Duration // the first frame's time
	latest  framePlace
}

// waitingFrame is what the spill does not keep of a frame.
type waitingFrame struct {
	index  int
	begins bool // a scene
	shown  bool // something is held of it
	left   int  // as in holder
	key    int  // whose style it is painted in, or −1
}

// hold is the stage for --key and --loop.
func (s *stylizer) hold(ctx context.Context, in Frames) iter.Seq2[*analyzedFrame, error] {
	return func(yield func(*analyzedFrame, error) bool) {
		h := &holder{stylizer: s, yield: yield, left: -1, leftKey: -1, used: make([]bool, len(s.paintings.keys))}
		defer h.close()
		err := takeAll(ctx, in, h.take, func() error { return h.emit(0) }, func(err error) { yield(nil, err) })
		if err != nil {
			return
		}
		if ctx.Err() != nil || s.stop.Err() != nil {
			return
		}
		if err = h.closeLoop(ctx); err == nil {
			err = h.emit(0)
		}
		if err != nil && err != errReaderLeft {
			yield(nil, err)
		}
		h.sayUnused()
	}
}

func (h *holder) close() {
	if h.spill != nil {
		h.spill.Close()
	}
}

// open makes what depends on the first frame, f.
func (h *holder) open(f *filter.Frame) (err error) {
	w := h.worker
	if err := h.paintings.check(f); err != nil {
		return h.nameError(f.Index, err)
	}
	if h.forward, err = coherence.NewCarrier(w.coherence, w.options.Threads); err != nil {
		return err
	}
	if h.backward, err = coherence.NewCarrier(w.coherence, w.options.Threads); err != nil {
		return err
	}
	if h.spill, err = w.newSpill(); err != nil {
		return err
	}
	bytes := coherence.WaitingBytes(f, h.plan.W, h.plan.H)
	h.reach = min(int64(w.coherence.Lookahead), h.spill.Limit()/bytes)
	if j := h.resumption.journal; j != nil {
		if j.Resumed {
			h.reach = j.Reach // the disk may have other room today
		}
		j.Reach = h.reach
	}
	if h.frames == 0 {
		h.worker.reporter.say(fmt.Sprintf("%s: up to %d frames wait for what is behind them, in %s of %s", h.ledger.input, h.reach, formatGB(h.reach*bytes), w.tempDir))
	}
	h.started = secondsToDuration(presentedAt(f)) - h.begin
	return nil
}

// take takes the next frame.
func (h *holder) take(f *filter.Frame) error {
	if err := h.ready(f); err != nil {
		return err
	}
	if h.forward == nil {
		if err := h.open(f); err != nil {
			return err
		}
	}
	key, err := h.keyOf(f)
	if err != nil {
		return h.nameError(f.Index, err)
	}
	kept, near := int64(f.Index) < h.resumption.kept, h.nearKey()
	loop := h.worker.coherence.Loop
	switch {
	case kept && (h.resumption.left < 0 || f.Index < h.resumption.left):
		return h.pass(f)
	case key < 0 && !near && h.left < 0 && len(h.waiting) == 0 && !loop:
		h.forward.Reset()
		return h.pass(f)
	}
	content := f.Resized(h.plan.W, h.plan.H)
	if f.Index == 0 && loop {
		h.loop.content = content.Filled()
	}
	begins, err := h.forward.Next(content)
	if err != nil {
		return h.nameError(f.Index, fmt.Errorf("frame %d: %w", f.Index, err))
	}
	if begins {
		h.left, h.leftKey = -1, -1
		if err := h.emit(h.atLeast()); err != nil {
			return err
		}
	}
	if key >= 0 {
		if err := h.takeKey(content, key, begins); err != nil {
			return err
		}
	}
	if kept {
		return h.pass(f)
	}
	if err := h.wait(f, content, begins); err != nil {
		return err
	}
	if near && key < 0 {
		return nil
	}
	return h.emit(h.atLeast())
}

// atLeast is how many frames wait in any case.
func (h *holder) atLeast() int {
	if h.worker.coherence.Loop {
		return int(min(loopFrames, h.reach))
	}
	return 0
}

// takeKey carries a painting of the latest frame back to those that wait, and from now on
// forward.
func (h *holder) takeKey(content *filter.Frame, key int, begins bool) error {
	painting, err := h.paintings.of(key, content)
	if err != nil {
		return h.nameError(content.Index, err)
	}
	if !begins {
		distance := func(i int) (part float64, alone bool) {
			wf := &h.waiting[i]
			ahead := float64(content.Index - wf.index)
			if wf.left >= 0 {
				return 1 - ahead/float64(content.Index-wf.left), false
			}
			return min(1, max(0, float64(h.reach)+1-ahead)/rampFrames), true
		}
		if err := h.carryBack(content, painting, key, distance); err != nil {
			return err
		}
	}
	h.forward.Key(painting, nil)
	h.left, h.leftKey = content.Index, key
	return nil
}

// carryBack carries the painting of content, the frame behind those that wait, back to them. To
// the ith it comes with a part, in [0,1], of what is shown there.
func (h *holder) carryBack(content, painting *filter.Frame, key int, partOf func(i int) (part float64, alone bool)) error {
	h.backward.Reset()
	if _, err := h.backward.Next(content); err != nil {
		return err
	}
	h.backward.Key(painting, nil)
	for i := len(h.waiting) - 1; i >= 0; i-- {
		if i+1 < len(h.waiting) && h.waiting[i+1].begins {
			return nil
		}
		p, err := h.spill.At(i)
		if err != nil {
			return err
		}
		begins, err := h.backward.Next(p.Content)
		if err != nil {
			return h.nameError(p.Frame.Index, fmt.Errorf("frame %d: %w", p.Frame.Index, err))
		}
		if begins {
			return nil
		}
		wf, held := &h.waiting[i], h.backward.Held()
		part, alone := partOf(i)
		if alone && !wf.shown {
			held = held.Scaled(part)
		} else {
			held = coherence.Between(p.Held, held, part, p.Content.W, p.Content.H, h.worker.options.Threads)
		}
		if key >= 0 && (wf.left < 0 || part >= 0.5) {
			wf.key = key
		}
		wf.shown = true
		if err := h.spill.Hold(i, held); err != nil {
			return err
		}
	}
	return nil
}

// closeLoop carries the first frame's result back from the end of the film.
func (h *holder) closeLoop(ctx context.Context) error {
	if !h.worker.coherence.Loop || len(h.waiting) == 0 {
		return nil
	}
	if h.waiting[0].index == 0 { // it must be painted before its result can be carried
		if err := h.emit(len(h.waiting) - 1); err != nil || len(h.waiting) == 0 {
			return err
		}
	}
	select {
	case <-h.loop.painted:
	case <-ctx.Done():
		return ctx.Err()
	}
	end := h.waiting[len(h.waiting)-1].index + 1
	all := min(h.atLeast(), end-1) // also where a job goes on in the midst of them
	part := func(i int) (float64, bool) {
		x := max(0, 1-float64(end-h.waiting[i].index)/float64(all+1))
		return x * x * (3 - 2*x), true
	}
	err := h.carryBack(h.loop.content, h.loop.result, -1, part)
	if err == nil && !h.waiting[len(h.waiting)-1].shown {
		h.worker.reporter.say(fmt.Sprintf("%s: its last frame does not lead into its first one: --loop changes nothing", h.ledger.input))
	}
	return err
}

// wait makes a frame wait.
func (h *holder) wait(f, content *filter.Frame, begins bool) error {
	held, shown := h.forward.Held(), true
	if held == nil {
		n := content.W * content.H
		held, shown = &coherence.Held{Pix: make([]float32, 3*n), Trust: make([]float32, n)}, false
	}
	h.waiting = append(h.waiting, waitingFrame{f.Index, begins, shown, h.left, h.leftKey})
	return h.nameError(f.Index, h.spill.Add(&coherence.PaintedFrame{Frame: f, Content: content, Held: held}))
}

// emit yields the frames that have waited longest, until most are left.
func (h *holder) emit(most int) error {
	for len(h.waiting) > most {
		p, err := h.spill.At(0)
		if err != nil {
			return err
		}
		wf := h.waiting[0]
		h.waiting = h.waiting[1:]
		h.spill.Shift()
		a := &analyzedFrame{frame: p.Frame, content: p.Content, key: wf.key, left: wf.left}
		if wf.shown {
			a.held = p.Held
		}
		if !h.yield(a, nil) {
			return errReaderLeft
		}
	}
	return nil
}

// pass yields a frame that nothing is carried to.
func (h *holder) pass(f *filter.Frame) error {
	if !h.yield(&analyzedFrame{frame: f, key: h.leftKey, left: h.left}, nil) {
		return errReaderLeft
	}
	return nil
}

// keyOf returns the key whose frame f is, or −1, and takes note of f's place.
func (h *holder) keyOf(f *filter.Frame) (key int, err error) {
	p := framePlace{at: secondsToDuration(presentedAt(f)) - h.begin, number: int64(f.Index) + 1}
	switch {
	case f.Duration > 0 && f.TimeBase.Den > 0:
		p.interval = secondsToDuration(float64(f.Duration) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den))
	case f.Index > 0:
		p.interval = p.at - h.latest.at
	}
	if p.interval <= 0 {
		p.interval = time.Second / 25
	}
	if h.pictures != nil {
		p.number = h.pictures[f.Index].number
	} else if h.worker.video.Start > 0 {
		p.number += int64(math.Round(float64(h.started) / float64(p.interval)))
	}
	h.latest, key = p, -1
	for k := range h.paintings.keys {
		ahead := h.paintings.keys[k].ahead(p)
		if h.used[k] || ahead > 0 || ahead < 0 && (f.Index == 0 || !h.paintings.keys[k].atTime) {
			continue
		}
		if key >= 0 {
			return key, fmt.Errorf("frame %d: --key %s and %s are both its painting: leave one out", f.Index, h.paintings.keys[key].path, h.paintings.keys[k].path)
		}
		key, h.used[k] = k, true
	}
	return key, nil
}

// nearKey reports whether a key is at most reach frames ahead.
func (h *holder) nearKey() bool {
	for k := range h.paintings.keys {
		if ahead := h.paintings.keys[k].ahead(h.latest); ahead > 0 && ahead <= h.reach && !h.used[k] {
			return true
		}
	}
	return false
}

// sayUnused says which keys no frame had.
func (h *holder) sayUnused() {
	for k, used := range h.used {
		if !used {
			h.worker.reporter.say(fmt.Sprintf("%s: --key %s is of a frame that was not painted: the frames that were end with number %d, at %.3f s",
				h.ledger.input, h.paintings.keys[k].path, h.latest.number, h.latest.at.Seconds()))
		}
	}
}
