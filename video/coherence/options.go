package coherence

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"nstfilter/filter/limits"
	"nstfilter/video/flow"
)

// Options says how frames of a film depend on each other. Fields are declared as in
// filter.Options: name is the flag and the preset's key, unless it has the tag preset:"no",
// and help its line.
type Options struct {
	StyleFade time.Duration `name:"style-fade" min:"0s" max:"1000000s" help:"How long styles with a later @TIME take to replace those before, beginning at their time; 0s: at once, as at a cut."`

	Flow      string  `name:"flow" oneof:"none,ultrafast,fast,medium,fine" help:"How thoroughly motion between frames is sought: ultrafast, fast, medium, or fine; none starts each frame from the previous result as it is, and holds it to nothing."`
	FlowFrom  string  `name:"flow-from" preset:"no" placeholder:"DIR" help:"Take flows made elsewhere instead: DIR/backward_2_1.flo from frame 2 to 1 and forward_1_2.flo, in Middlebury's format, for every two frames that follow each other; frames count from the lowest number there."`
	LongTerm  Ages    `name:"long-term" min:"1" max:"64" help:"How many frames ago, each below 65, is looked for what the frame before does not show; 1 alone forgets what is hidden."`
	Settle    float64 `name:"settle" min:"0" max:"1000" help:"Frames that newly seen areas, and the whole picture after a change of style, take to settle, after which they are held like the rest; 0 holds them at once."`
	Cut       float64 `name:"cut" above:"0" max:"1" help:"How different a frame has to be from the one before, in (0,1], to begin a new scene, which is painted afresh; 1 never."`
	Stride    Stride  `name:"stride" min:"0" max:"64" help:"Paint only some frames of each scene, and make those between of their painted neighbours, by flow. auto paints one when enough has come into sight, or after seven others; 3 paints every third; 1 paints all."`
	Anew      bool    `name:"anew" help:"Paint what comes into sight coarse to fine, as a first frame is, and hold all else: no bare strips are left at the edge of a pan, nor pale wakes behind what moves. Where much moves it takes about twice as long. It makes --stride 1 auto; --key has it always."`
	Loop      bool    `name:"loop" help:"Let the last second of a film (24 frames) flow into its first frame as it was painted, for films that are shown again and again. What they show has to lead there too."`
	Passes    int     `name:"passes" min:"1" max:"100" help:"How often a scene is painted, forward and backward in turn: what comes into sight late then looks like what it becomes, and all is steadier. Each pass takes its time anew, and --deadline bounds each. Frames come out when their scene is done."`
	Lookahead int     `name:"lookahead" min:"2" max:"1000000" help:"Most frames that wait on the disk. With --passes a longer scene is painted in parts of so many, with a seam that may show where the number of passes is even. A --key reaches back so far."`
}

// DefaultOptions estimates motion and paints each scene once.
func DefaultOptions() Options {
	return Options{StyleFade: 2 * time.Second, Flow: "medium", LongTerm: Ages{1, 2, 4, 8}, Settle: 16, Cut: 0.5, Stride: 1, Passes: 1, Lookahead: 100}
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	if err := limits.Check(o); err != nil {
		return err
	}
	if o.FlowFrom != "" && o.Flow == "none" {
		return fmt.Errorf("--flow none and --flow-from %s contradict each other: leave one out", o.FlowFrom)
	}
	if (o.Stride > 1 || o.Anew) && o.Flow == "none" {
		return fmt.Errorf("--stride and --anew with --flow none: frames between those that are painted are made by flow: leave one out")
	}
	if o.Loop && o.Flow == "none" {
		return fmt.Errorf("--loop with --flow none: the first frame's result is carried along the flow: leave one out")
	}
	if o.Passes > 1 && o.Flow == "none" {
		return fmt.Errorf("--passes %d with --flow none: a pass follows the flow from frame to frame: leave one out", o.Passes)
	}
	return nil
}

// FlowPresets are what --flow names, but for none.
var FlowPresets = map[string]flow.Preset{"ultrafast": flow.Ultrafast, "fast": flow.Fast, "medium": flow.Medium, "fine": flow.Fine}

// Stride is a number of frames, or 0 for auto.
type Stride int

// UnmarshalText reads a number or "auto".
func (s *Stride) UnmarshalText(b []byte) error {
	if string(b) == "auto" {
		*s = 0
		return nil
	}
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of frames: write 3, or auto", b)
	}
	*s = Stride(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Stride) MarshalText() ([]byte, error) {
	if s == 0 {
		return []byte("auto"), nil
	}
	return []byte(strconv.Itoa(int(s))), nil
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
