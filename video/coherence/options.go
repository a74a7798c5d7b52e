package coherence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nstfilter/video/flow"
)

// Options says how frames of a film depend on each other. Fields are declared as in
// filter.Options: name is the flag and the preset's key, help its line.
type Options struct {
	StyleFade time.Duration `name:"style-fade" help:"How long styles with a later @TIME take to replace those before, beginning at their time; 0s: at once, as at a cut."`

	Flow      string  `name:"flow" help:"How thoroughly motion between frames is sought: ultrafast, fast, medium, or fine; none starts each frame from the previous result as it is, and holds it to nothing."`
	FlowFrom  string  `name:"flow-from" placeholder:"DIR" help:"Take flows made elsewhere instead: DIR/backward_2_1.flo from frame 2 to 1 and forward_1_2.flo, in Middlebury's format, for every two frames that follow each other; frames count from the lowest number there."`
	LongTerm  Ages    `name:"long-term" help:"How many frames ago, each below 65, is looked for what the frame before does not show; 1 alone forgets what is hidden."`
	Settle    float64 `name:"settle" help:"Frames that newly seen areas, and the whole picture after a change of style, take to settle, after which they are held like the rest; 0 holds them at once."`
	Cut       float64 `name:"cut" help:"How different a frame has to be from the one before, in (0,1], to begin a new scene, which is painted afresh; 1 never."`
	Passes    int     `name:"passes" help:"How often a scene is painted, forward and backward in turn: what comes into sight late then looks like what it becomes, and all is steadier. Each pass takes its time anew, and --deadline bounds each. Frames come out when their scene is done."`
	Lookahead int     `name:"lookahead" help:"Most frames that wait for their --passes: a longer scene is painted in parts of so many, with a seam that may show where the number of passes is even."`
}

// DefaultOptions estimates motion and paints each scene once.
func DefaultOptions() Options {
	return Options{StyleFade: 2 * time.Second, Flow: "medium", LongTerm: Ages{1, 2, 4, 8}, Settle: 16, Cut: 0.5, Passes: 1, Lookahead: 100}
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	if s := o.StyleFade.Seconds(); s < 0 || s > 1e6 {
		return fmt.Errorf("--style-fade %v is not between 0s and 1000000s", o.StyleFade)
	}
	if _, ok := flowPresets[o.Flow]; !ok && o.Flow != "none" {
		return fmt.Errorf("--flow %q is not none or ultrafast or fast or medium or fine", o.Flow)
	}
	if o.FlowFrom != "" && o.Flow == "none" {
		return fmt.Errorf("--flow none and --flow-from %s contradict each other: leave one out", o.FlowFrom)
	}
	for _, k := range o.LongTerm {
		if k < 1 || k > maxFramesAgo {
			return fmt.Errorf("--long-term: %d is not between 1 and %d frames", k, maxFramesAgo)
		}
	}
	if !(o.Settle >= 0 && o.Settle <= 1000) {
		return fmt.Errorf("--settle %g is not between 0 and 1000", o.Settle)
	}
	if !(o.Cut > 0 && o.Cut <= 1) {
		return fmt.Errorf("--cut %g is not above 0 and at most 1", o.Cut)
	}
	if o.Passes < 1 || o.Passes > 100 {
		return fmt.Errorf("--passes %d is not between 1 and 100", o.Passes)
	}
	if o.Passes > 1 && o.Flow == "none" {
		return fmt.Errorf("--passes %d with --flow none: a pass follows the flow from frame to frame: leave one out", o.Passes)
	}
	if o.Lookahead < 2 || o.Lookahead > 1e6 {
		return fmt.Errorf("--lookahead %d is not between 2 and 1000000 frames", o.Lookahead)
	}
	return nil
}

// maxFramesAgo bounds --long-term, and with it the frames that are remembered.
const maxFramesAgo = 64

var flowPresets = map[string]flow.Preset{"ultrafast": flow.Ultrafast, "fast": flow.Fast, "medium": flow.Medium, "fine": flow.Fine}

// FlowPreset returns the preset that --flow names.
func FlowPreset(name string) (p flow.Preset, ok bool) {
	p, ok = flowPresets[name]
	return p, ok
}

// Ages are numbers of frames in ascending order, written 1,2,4.
type Ages []int

// UnmarshalText reads numbers separated by commas and sorts them.
func (a *Ages) UnmarshalText(b []byte) error {
	*a = nil
	for _, s := range strings.Split(string(b), ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("%q is not a number of frames", s)
		}
		*a = append(*a, n)
	}
	slices.Sort(*a)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (a Ages) MarshalText() ([]byte, error) {
	var s []string
	for _, n := range a {
		s = append(s, strconv.Itoa(n))
	}
	return []byte(strings.Join(s, ",")), nil
}
