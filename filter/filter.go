package filter

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"nstfilter/filter/engine"
	"nstfilter/weights"
)

// Filter repaints pictures in one style. It is used by one goroutine at a time.
type Filter struct {
	// OnProgress, if set, is called after every step.
	OnProgress func(Progress)
	// Live, if set, lets others look at the picture while it is painted, and change how.
	Live *Live
	// ByLayer makes reports give the losses of the finished picture, by layer too. It
	// costs one more evaluation of J.
	ByLayer bool
	// InitImage is the start for Options.Init "image:FILE".
	InitImage *Frame
	// MaxMemory is how many bytes painting may take; 0: no limit. It is a limit on the
	// device's memory if the engine has engine.DeviceMemory; otherwise it includes the
	// frame and its result. An engine.Tiler keeps it by working in tiles. Set it before
	// the first Plan or Paint.
	MaxMemory int64
	// Film says that more frames follow, each started from the previous result: plans
	// then include their memory, and Options.OriginalColors and Frame.Strength are left to the
	// caller, by Frame.InColoursOf and then Frame.Blended, because the next frame starts from
	// the result without them. Set it before a Plan or Paint.
	Film bool

	o       Options
	e       engine.Engine
	photo   *PhotoColours // that the styles have been given; nil: they have their own
	threads int           // of parallel.For: the engine's; 0: one for each processor
	styles  []*Frame
	regions int      // of the styles and of every picture; 0: the picture is painted as a whole
	network *network // paints all scales but the last
	// lastNetwork paints the last scale; it is the same network unless FinishWith was called.
	lastNetwork *network

	plans          map[planKey]Plan
	workspaceCache *workspace // of the latest stage, for the next frame; nil: none

	lastSpec     engine.Spec // the latest one compiled
	deviceBudget int64       // limit on an evaluator's bytes after the device ran out of memory; 0: it has not
}

// Guide says where an optimisation starts and what its result should stay near.
// Every squared temporal term folds into one prior with one weight per pixel, so
// the filter itself has no notion of time. The zero Guide is a single picture.
type Guide struct {
	Start       *Frame    // optimise from here, at one scale; nil: from Options.Init, coarse to fine
	Margin      []float32 // of Start, from its Report; nil: its reflection
	Prior       *Frame    // nil: none
	PriorWeight []float32 // H rows of W; nil: 1 everywhere
	Shares      []float64 // of the styles, in their order, with sum 1; nil: Options.StyleBlendWeights. With regions only their ratios count, among the styles of each region
	Began       time.Time // when work on this frame began, for Options.Deadline; zero: when Paint is called
}

// New prepares a filter. The styles are blended by o.StyleBlendWeights, or by each
// Guide's Shares. The filter uses as many threads as e was made with (engine.Threads), or as
// runtime.GOMAXPROCS says. It fails if an option is out of range or does not suit the network.
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
	regions, err := styleRegions(styles)
	if err != nil {
		return nil, err
	}
	f := &Filter{o: o, e: e, styles: styles, regions: regions, plans: map[planKey]Plan{}}
	if t, ok := e.(engine.Threads); ok {
		f.threads = t.Threads()
	}
	if f.network, err = newNetwork(&f.o, n, regions); err != nil {
		return nil, err
	}
	f.lastNetwork = f.network
	return f, nil
}

// SetStyles replaces the styles by as many of the same sizes, such as the same ones in the
// colours of another profile.
func (f *Filter) SetStyles(styles []*Frame) {
	if len(styles) != len(f.styles) {
		panic(fmt.Sprintf("filter: %d styles in the place of %d", len(styles), len(f.styles)))
	}
	f.styles = styles
	f.SetPhotoColours(nil)
}

// SetStyle replaces one style, by one of any size.
func (f *Filter) SetStyle(i int, style *Frame) {
	f.styles = slices.Clone(f.styles)
	f.styles[i] = style
	for _, n := range f.networks() {
		for _, known := range n.styleCaches {
			known.moments[i], known.shares = nil, nil
		}
	}
}

// FinishWith sets the network that paints a picture's last scale and all later frames of a
// film. Call it before the first Plan or Paint. It fails if an option does not suit the
// network.
func (f *Filter) FinishWith(n *weights.Network) error {
	last, err := newNetwork(&f.o, n, f.regions)
	if err == nil {
		f.lastNetwork = last
	}
	return err
}

// networks returns the distinct networks that paint.
func (f *Filter) networks() []*network {
	if f.lastNetwork == f.network {
		return []*network{f.network}
	}
	return []*network{f.network, f.lastNetwork}
}

// Close frees what the filter keeps between pictures.
func (f *Filter) Close() { f.dropWorkspace() }

// dropWorkspace frees the cached workspace.
func (f *Filter) dropWorkspace() {
	if f.workspaceCache != nil {
		f.workspaceCache.Close()
		f.workspaceCache = nil
	}
}

// Paint returns content in the filter's style. If the guide has a Start, it optimises from
// there at one scale, by L-BFGS with at most Options.FrameIterations steps; otherwise it
// works coarse to fine. It returns content itself if there are no iterations or content is
// wholly transparent. Pixels of alpha 0 keep their samples and do not influence others; those of
// Strength 0 keep theirs too, and count little.
// Paint fails if ctx is done, content is too small, J is not finite, or the engine's device
// fails. If the device runs out of memory, Paint tries again in tiles.
func (f *Filter) Paint(ctx context.Context, content *Frame, g Guide) (*Frame, *Report, error) {
	if g.Began.IsZero() {
		g.Began = time.Now()
	}
	if !f.hasDeviceMemory() {
		return f.paint(ctx, content, g) // which need not hold content until the end
	}
	for range attempts - 1 {
		out, report, err := f.paint(ctx, content, g)
		if !errors.Is(err, engine.ErrMemory) || !f.halveDeviceBudget() {
			return out, report, err
		}
	}
	return f.paint(ctx, content, g)
}

// paint is Paint without a second attempt.
func (f *Filter) paint(ctx context.Context, content *Frame, g Guide) (*Frame, *Report, error) {
	report := &Report{W: content.W, H: content.H, DeviceBudget: f.deviceBudget, Seconds: map[string]float64{}}
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
	err := content.checkRegions(f.regions)
	if err == nil {
		err = f.checkShares(g.Shares)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("frame %d: %w", content.Index, err)
	}
	plan, err := f.Plan(content.W, content.H)
	if err != nil {
		return nil, nil, fmt.Errorf("frame %d: %w", content.Index, err)
	}
	report.W, report.H = plan.W, plan.H
	work := size{plan.W, plan.H}
	if g.Start == nil {
		f.takeColours(content)
	}
	recolour := f.o.OriginalColors && !f.Film
	head := *content // without the picture, so that it can be collected before the end
	if mask == nil && !recolour && content.Strength == nil {
		head.Pix = nil
	}
	now := time.Now()
	c := &canvas{f: f, report: report, frame: size{head.W, head.H}, content: content.fit(f.threads, work, bicubic),
		mask: fitMask(f.threads, content.counts(), size{head.W, head.H}, work), regions: fitRegions(f.threads, content.Regions, size{head.W, head.H}, work)}
	if f.Live != nil {
		c.hand.orders = &Orders{Factors: Factors{1, 1, 1}, Next: f.Live.Orders().Next}
	}
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
	if work != c.frame && !f.Film {
		f.dropWorkspace() // the picture that is enlarged needs the memory
	}
	var out *Frame
	if f.o.OutputSize == "work" && work != c.frame {
		out = head.sized(f.threads, work.w, work.h).With(pix)
	} else {
		out = head.painted(f.threads, pix, work.w, work.h)
	}
	if recolour {
		out = out.inColoursOf(f.threads, head.Resized(out.W, out.H))
	}
	if !f.Film {
		out = head.blended(f.threads, out)
	}
	return out, report, nil
}

// fit returns the frame's picture, filled, at size s. If that is the frame's size, it may
// share the frame's memory.
func (f *Frame) fit(threads int, s size, k kernel) []float32 {
	f = f.filled(threads)
	if f.W == s.w && f.H == s.h {
		return f.Pix
	}
	pix := resize(threads, f.Pix, 3, f.W, f.H, s.w, s.h, k)
	clamp01(threads, pix)
	return pix
}

// start returns the picture from which the coarsest scale starts.
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
