package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nstfilter/filter"
	"nstfilter/filter/limits"
	"nstfilter/filter/parallel"
	"nstfilter/pipeline"
	"nstfilter/pipeline/photo"
	"nstfilter/video/coherence"
	"nstfilter/video/flow"
	"nstfilter/video/outfile"
)

type flowCmd struct {
	A         string  `arg:"" help:"The first picture; or a .flo file, to show it."`
	B         string  `arg:"" help:"The picture that A's pixels are sought in."`
	Out       string  `arg:"" optional:"" help:"FILE.flo (Middlebury's format), or a picture of the flow: hue is direction, saturation length."`
	Preset    string  `name:"preset" default:"medium" oneof:"ultrafast,fast,medium,fine" help:"How thoroughly: ultrafast, fast, medium, or fine."`
	Longest   float64 `name:"longest" default:"0" min:"0" help:"Length, in pixels, that is shown in full colour; 0 takes the longest flow."`
	Threads   int     `name:"threads" default:"0" min:"0" max:"1024" help:"Threads to compute with; 0 takes all processors that the program may use."`
	Overwrite bool    `name:"overwrite" short:"y" help:"Replace OUT if it is there."`
}

// Help returns what --help says below the usage.
func (*flowCmd) Help() string {
	return `Estimate the optical flow from picture A to picture B:

    nstfilter flow A.png B.png out.flo
    nstfilter flow A.png B.png out.png
    nstfilter flow in.flo out.png`
}

func (c *flowCmd) Run(*commandEnv) error {
	shown := isFlo(c.A) && c.Out == ""
	if shown {
		c.Out = c.B
	}
	switch {
	case c.Out == "":
		return pipeline.UsageErrorf("where should the flow go? Add its name: nstfilter flow %s %s out.flo", c.A, c.B)
	case !isFlo(c.Out) && !photo.IsPhoto(c.Out):
		return pipeline.UsageErrorf("%s: a flow is written to .flo, or shown as a picture: %s", c.Out, strings.Join(photo.Extensions(), " "))
	}
	if err := limits.Check(c); err != nil {
		return pipeline.UsageError{Err: err}
	}
	if _, err := os.Lstat(c.Out); err == nil && !c.Overwrite {
		return fmt.Errorf("%s exists: add -y to replace it, or choose another name", c.Out)
	}
	var f *flow.Field
	var err error
	if shown {
		f, err = coherence.ReadFlow(c.A)
	} else {
		f, err = c.estimate()
	}
	if err != nil {
		return err
	}
	mode := outfile.Mode(c.Overwrite)
	if isFlo(c.Out) {
		return outfile.Write(c.Out, mode, func(w io.Writer) error { return flow.WriteFlo(w, f) })
	}
	return photo.WriteAs(mode, c.Out, "", inColour(f, c.Longest), nil)
}

func (c *flowCmd) estimate() (*flow.Field, error) {
	a, err := photo.Read(c.A)
	if err != nil {
		return nil, err
	}
	b, err := photo.Read(c.B)
	if err != nil {
		return nil, err
	}
	if a.W != b.W || a.H != b.H {
		return nil, fmt.Errorf("%s is %d×%d, %s is %d×%d: flow is between pictures of one size; scale one of them", c.A, a.W, a.H, c.B, b.W, b.H)
	}
	return flow.New(a.W, a.H, coherence.FlowPresets[c.Preset], parallel.Threads(c.Threads)).Forward(a, b), nil
}

func isFlo(path string) bool { return strings.EqualFold(filepath.Ext(path), ".flo") }

// inColour returns a picture of f in Middlebury's colours.
func inColour(f *flow.Field, longest float64) *filter.Frame {
	img, out := flow.Colour(f, longest), filter.NewFrame(f.W, f.H)
	n := f.W * f.H
	for i := range n {
		for p := range 3 {
			out.Pix[p*n+i] = float32(img.Pix[4*i+p]) / 255
		}
	}
	return out
}
