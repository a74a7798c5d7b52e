package filter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// Filter repaints pictures in one style. It is used by one goroutine at a time.
type Filter struct {
	// OnProgress, if set, is called after every step.
	OnProgress func(Progress)
	// ByLayer has reports tell the losses of the finished picture, each layer's among
	// them, for which J is evaluated once more.
	ByLayer bool
	// InitImage is the start for Options.Init "image:FILE".
	InitImage *Frame
	// MaxMemory, in bytes, is what painting may take, the frame and its result
	// counted unless the engine is an engine.DeviceMemory, whose own memory it then is: an
	// engine that can works in tiles. 0: no limit. It is set before the first Plan or
	// Paint.
	MaxMemory int64
	// Film says that frames follow that begin from the result before: plans then
	// have room for these too. It is set before a Plan or Paint.
	Film bool

	o       Options
	e       engine.Engine
	threads int // of parallel.For: the engine's; 0: one for each processor
	styles  []*Frame
	paints  *network // the picture, but
	last    *network // its last scale; the same but for FinishWith

	plans map[planned]Plan

	kept *workspace // of the latest stage, for the next frame; nil: none

	tried engine.Spec // of the latest evaluator
	less  int64       // bytes that its device leaves an evaluator; 0: not known
}

// New prepares a filter. The styles are blended by o.StyleBlendWeights, or by each
// Guide's Shares. It fails where an option is out of range or does not suit the network.
func New(o Options, e engine.Engine, n *weights.Network, styles []*Frame) (*Filter, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(styles) == 0 {
		return nil, errors.New("no style picture: name one with --style")
	}
	if k := len(o.StyleBlendWeights); k > 0 && k != len(styles) {
		return nil, fmt.Errorf("--style-blend-weights has %d shares for %d styles: give one for each", k, len(styles))
	}
	for i, s := range styles {
		if min(s.W, s.H) < engine.MinSide {
			return nil, fmt.Errorf("style %d is %d×%d pixels: it needs at least %d on each side", i+1, s.W, s.H, engine.MinSide)
		}
		if s.transparent() {
			return nil, fmt.Errorf("style %d is wholly transparent: name a picture that shows something", i+1)
		}
	}
	if (o.Precision == "bf16" || o.Precision == "mixed") && !hasBF16(e) {
		return nil, fmt.Errorf("--precision %s: %s has no bfloat16 products (AVX512-BF16, or tensor cores): choose auto or fp32", o.Precision, e.Name())
	}
	f := &Filter{o: o, e: e, styles: styles, plans: map[planned]Plan{}}
	if t, ok := e.(engine.Threads); ok {
		f.threads = t.Threads()
	}
	var err error
	f.paints, err = newNetwork(&f.o, n)
	f.last = f.paints
	return f, err
}

// FinishWith has another network paint a picture's last scale, and a film's later frames,
// which are the last scale alone. It is called before the first Plan or Paint, and fails
// where an option does not suit the network.
func (f *Filter) FinishWith(n *weights.Network) (err error) {
	f.last, err = newNetwork(&f.o, n)
	return err
}

// networks are those that paint.
func (f *Filter) networks() []*network {
	if f.last == f.paints {
		return []*network{f.paints}
	}
	return []*network{f.paints, f.last}
}

// Close frees what the filter keeps between pictures.
func (f *Filter) Close() {
	if f.kept != nil {
		f.kept.Close()
		f.kept = nil
	}
}

// Paint returns content in the filter's style. With a Start in the guide it works
// at one scale, from there, by L-BFGS for at most Options.FrameIterations; else coarse to
// fine. No iterations give the content itself, and so does one that is wholly transparent;
// pixels of alpha 0 keep their samples, and what these are changes no other. It
// fails when ctx is done, when content is too small, when J stops being a number, or
// when the engine's device fails; a device without enough memory is asked again to
// work in tiles.
func (f *Filter) Paint(ctx context.Context, content *Frame, g Guide) (*Frame, *Report, error) {
	if g.Began.IsZero() {
		g.Began = time.Now()
	}
	var again *Frame // no other engine has us hold the picture until the end
	if f.limited() {
		again = content
	}
	for range attempts - 1 {
		out, report, err := f.paint(ctx, content, g)
		if again == nil || !errors.Is(err, engine.ErrMemory) || !f.lessen() {
			return out, report, err
		}
		content = again
	}
	return f.paint(ctx, content, g)
}

// paint is Paint with the memory that is thought to be there.
func (f *Filter) paint(ctx context.Context, content *Frame, g Guide) (*Frame, *Report, error) {
	report := &Report{W: content.W, H: content.H, Less: f.less, Seconds: map[string]float64{}}
	if !f.o.Paints() {
		return content, report, nil
	}
	mask := content.mask()
	if mask != nil && engine.Total(mask) == 0 {
		report.Stopped = "transparent"
		return content, report, nil
	}
	if g.Shares == nil {
		g.Shares = f.shares()
	} else if len(g.Shares) != len(f.styles) {
		panic(fmt.Sprintf("filter: %d shares for %d styles", len(g.Shares), len(f.styles)))
	}
	plan, err := f.Plan(content.W, content.H)
	if err != nil {
		return nil, nil, fmt.Errorf("frame %d: %w", content.Index, err)
	}
	report.W, report.H = plan.W, plan.H
	work := size{plan.W, plan.H}
	head := *content // if the caller has let go of content, its picture can be collected before the end
	if mask == nil {
		head.Pix = nil
	}
	now := time.Now()
	c := &canvas{f: f, report: report, frame: size{head.W, head.H}, content: content.fit(f.threads, work, bicubic),
		mask: fitMask(f.threads, mask, size{head.W, head.H}, work)}
	report.since(now, "resize")
	var start []float32
	if g.Start != nil {
		c.stages = []stage{f.laterStage(work)}
		start = g.Start.fit(f.threads, work, bicubic)
	} else {
		c.stages = f.stages(work)
		start = f.start(content, c.stages[0].size, g.Shares)
	}
	pix, err := c.paint(ctx, start, g)
	if err != nil {
		return nil, nil, fmt.Errorf("frame %d: %w", head.Index, err)
	}
	now = time.Now()
	defer report.since(now, "resize")
	if f.o.OutputSize == "work" && work != c.frame {
		return head.sized(f.threads, work.w, work.h).With(pix), report, nil
	}
	return head.painted(f.threads, pix, work.w, work.h), report, nil
}

// fit returns the frame's picture at a size, filled; at its own it may be the frame's.
func (f *Frame) fit(threads int, s size, k kernel) []float32 {
	f = f.filled(threads)
	if f.W == s.w && f.H == s.h {
		return f.Pix
	}
	pix := resize(threads, f.Pix, 3, f.W, f.H, s.w, s.h, k)
	clamp01(threads, pix)
	return pix
}

// start is the picture that the coarsest scale begins with.
func (f *Filter) start(content *Frame, s size, shares []float64) []float32 {
	switch {
	case f.o.Init == "random":
		pix := make([]float32, 3*s.pixels())
		r := rand.New(rand.NewPCG(f.o.Seed, 0x6e7374))
		for i := range pix {
			pix[i] = r.Float32()
		}
		return pix
	case f.InitImage != nil:
		return f.InitImage.fit(f.threads, s, bicubic)
	case f.o.Init == "content":
		return content.fit(f.threads, s, bicubic)
	}
	return f.recoloured(content, shares, s)
}
