package coherence

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"nstfilter/filter"
	"nstfilter/video/flow"
)

// flowSource returns optical flow between frames: backward leads from a frame to an
// earlier one and belongs to the caller; forward leads back and is valid until the
// next call.
type flowSource interface {
	// Start begins at a frame that no other precedes.
	Start(content *filter.Frame)
	// Neighbours returns the flow to the frame of the previous call.
	Neighbours(content, before *filter.Frame) (backward, forward *flow.Field, err error)
	// Stored returns the flow to an older frame if it needs no estimation, else nil.
	Stored(content, before *filter.Frame) (backward, forward *flow.Field, err error)
	// Estimate estimates the flow to an older frame. It returns nil if it cannot.
	Estimate(content, before *filter.Frame) (backward, forward *flow.Field)
}

// newFlowSource returns nil for --flow none. It fails if the folder of --flow-from has
// no flows.
func newFlowSource(o Options, threads int) (flowSource, error) {
	switch {
	case o.FlowFrom != "":
		folder, err := openFlowFolder(o.FlowFrom)
		if err != nil {
			return nil, err // returning folder would make an interface that is not nil
		}
		return folder, nil
	case o.Flow != "none":
		return &flowEstimator{preset: FlowPresets[o.Flow], threads: threads}, nil
	}
	return nil, nil
}

// flowEstimator estimates flow: between neighbours by a preset, and over many frames by
// a faster one.
type flowEstimator struct {
	preset          flow.Preset
	threads         int
	near, longRange *flow.Estimator // for frames of w×h
	w, h            int
}

func (e *flowEstimator) Start(content *filter.Frame) {
	if e.near == nil || e.w != content.W || e.h != content.H {
		e.w, e.h = content.W, content.H
		e.near, e.longRange = flow.New(e.w, e.h, e.preset, e.threads), nil
	}
	e.near.Reset()
	e.near.Next(content)
}

func (e *flowEstimator) Neighbours(content, _ *filter.Frame) (backward, forward *flow.Field, err error) {
	forward, backward = e.near.Next(content)
	return zeroStatic(backward), forward, nil
}

func (*flowEstimator) Stored(_, _ *filter.Frame) (_, _ *flow.Field, _ error) { return nil, nil, nil }

func (e *flowEstimator) Estimate(content, before *filter.Frame) (backward, forward *flow.Field) {
	if e.longRange == nil {
		e.longRange = flow.New(e.w, e.h, flow.Fast, e.threads)
	}
	forward, backward = e.longRange.Between(before, content)
	return zeroStatic(backward), forward
}

// flowFolder reads flows that another program made: DIR/backward_2_1.flo from frame 2
// to 1 and DIR/forward_1_2.flo from 1 to 2, as artistic-videos by Ruder et al. names
// them.
type flowFolder struct {
	dir   string
	files map[[2]int]string // by the numbers of the frames from and to
	first int               // the lowest number, which is the first frame's
}

var flowFileName = regexp.MustCompile(`^(?:forward|backward)_(\d{1,9})_(\d{1,9})\.flo$`)

func openFlowFolder(dir string) (*flowFolder, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("--flow-from: %w", err)
	}
	f := &flowFolder{dir: dir, files: map[[2]int]string{}}
	for _, e := range entries {
		m := flowFileName.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		from, _ := strconv.Atoi(m[1])
		to, _ := strconv.Atoi(m[2])
		if lowest := min(from, to); len(f.files) == 0 || lowest < f.first {
			f.first = lowest
		}
		f.files[[2]int{from, to}] = e.Name()
	}
	if len(f.files) == 0 {
		return nil, fmt.Errorf("--flow-from %s: no flow is there: name them backward_2_1.flo (from frame 2 to 1) and forward_1_2.flo (from 1 to 2)", dir)
	}
	return f, nil
}

func (*flowFolder) Start(*filter.Frame) {}

func (f *flowFolder) Neighbours(content, before *filter.Frame) (backward, forward *flow.Field, err error) {
	if backward, err = f.read(content, before); err == nil {
		forward, err = f.read(before, content)
	}
	return backward, forward, err
}

func (f *flowFolder) Stored(content, before *filter.Frame) (backward, forward *flow.Field, err error) {
	from, to := content.Index+f.first, before.Index+f.first
	if f.files[[2]int{from, to}] == "" || f.files[[2]int{to, from}] == "" {
		return nil, nil, nil
	}
	return f.Neighbours(content, before)
}

func (*flowFolder) Estimate(_, _ *filter.Frame) (_, _ *flow.Field) { return nil, nil }

// read reads the flow from a to b and resizes it if the film is painted at another size
// than its own. It fails if the file is missing or has another aspect ratio.
func (f *flowFolder) read(a, b *filter.Frame) (*flow.Field, error) {
	from, to := a.Index+f.first, b.Index+f.first
	name, ok := f.files[[2]int{from, to}]
	if !ok {
		kind := "backward"
		if from < to {
			kind = "forward"
		}
		numbers := slices.Sorted(func(yield func(int) bool) {
			for k := range f.files {
				if !yield(max(k[0], k[1])) {
					return
				}
			}
		})
		return nil, fmt.Errorf("--flow-from %s: the flow from frame %d to %d is missing, %s_%d_%d.flo; frames count from %d, the lowest number there, and the highest is %d",
			f.dir, from, to, kind, from, to, f.first, numbers[len(numbers)-1])
	}
	path := filepath.Join(f.dir, name)
	field, err := ReadFlow(path)
	switch {
	case err != nil || field.W == a.W && field.H == a.H:
		return field, err
	case math.Abs(float64(field.W*a.H-field.H*a.W)) > float64(max(field.W, a.W)): // more than rounding
		return nil, fmt.Errorf("%s is %d×%d, the frames are %d×%d: make the flows at the frames' size", path, field.W, field.H, a.W, a.H)
	}
	return field.Resized(a.W, a.H), nil
}

// ReadFlow reads a .flo file.
func ReadFlow(path string) (*flow.Field, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := flow.ReadFlo(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
