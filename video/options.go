package video

import (
	"fmt"
	"slices"
	"strings"
)

// Options is what decides how film is read and written. Fields are declared as in
// filter.Options: name is the flag and the preset's key, help its line.
type Options struct {
	Flow       string  `name:"flow" help:"How thoroughly motion between frames is sought: ultrafast, fast, medium, or fine; none starts each frame from the previous result as it is, and holds it to nothing."`
	Settle     float64 `name:"settle" help:"Frames that newly seen areas take to settle, after which they are held like the rest; 0 holds them at once."`
	Cut        float64 `name:"cut" help:"How different a frame has to be from the one before, in (0,1], to begin a new scene, which is painted afresh; 1 never."`
	Colorspace string  `name:"colorspace" help:"Matrix of the film's YUV: auto (as tagged; untagged: bt709 from 720 lines on, else bt601), bt601, bt709 or bt2020."`
	ColorRange string  `name:"color-range" help:"Range of the film's samples: auto (as tagged; untagged: limited, full for RGB and gray), limited or full."`
	NoAudio    bool    `name:"no-audio" help:"Leave the sound out of the result."`
}

// DefaultOptions believes the film's tags and keeps its sound.
func DefaultOptions() Options {
	return Options{Flow: "medium", Settle: 8, Cut: 0.5, Colorspace: "auto", ColorRange: "auto"}
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	if _, ok := presets[o.Flow]; !ok && o.Flow != "none" {
		return fmt.Errorf("--flow %q is not none or ultrafast or fast or medium or fine", o.Flow)
	}
	if !(o.Settle >= 0 && o.Settle <= 1000) {
		return fmt.Errorf("--settle %g is not between 0 and 1000", o.Settle)
	}
	if !(o.Cut > 0 && o.Cut <= 1) {
		return fmt.Errorf("--cut %g is not above 0 and at most 1", o.Cut)
	}
	for _, s := range []struct {
		name, value string
		allowed     []string
	}{
		{"colorspace", o.Colorspace, []string{"auto", "bt601", "bt709", "bt2020"}},
		{"color-range", o.ColorRange, []string{"auto", "limited", "full"}},
	} {
		if !slices.Contains(s.allowed, s.value) {
			return fmt.Errorf("--%s %q is not %s", s.name, s.value, strings.Join(s.allowed, " or "))
		}
	}
	return nil
}

// apply overrides what the stream says.
func (o *Options) apply(l *Layout) {
	switch o.Colorspace {
	case "bt601":
		l.Matrix = BT601
	case "bt709":
		l.Matrix = BT709
	case "bt2020":
		l.Matrix = BT2020
	}
	switch o.ColorRange {
	case "limited":
		l.Full = false
	case "full":
		l.Full = true
	}
}
