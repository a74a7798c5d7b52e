package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"nstfilter/filter"
	"nstfilter/filter/limits"
	"nstfilter/pipeline"
	"nstfilter/pipeline/sandbox"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

type keysCmd struct {
	Film     string `arg:"" help:"The film, or its frames in numbered pictures: 'frames/%05d.png'."`
	Pictures string `arg:"" help:"Where keyframes go, with a number that becomes the frame's: 'keys/%05d.png'. The folder is made if it is missing; %s stands for the film's name without its extension."`

	Number    int     `name:"number" short:"n" brief:"How many frames; else as few as show most of each scene." default:"0" min:"0" max:"100000" placeholder:"N" help:"How many keyframes: those that together show the most. 0 takes as few as show about nine tenths of each scene."`
	Sheet     string  `name:"sheet" placeholder:"FILE" brief:"Picture of all of them, small." help:"Picture of all keyframes, small, with number and time: sheet.png beside them if it has no other name."`
	Overwrite bool    `name:"overwrite" short:"y" help:"Replace pictures that exist."`
	Cut       float64 `name:"cut" above:"0" max:"1" help:"How different a frame has to be from the one before, in (0,1], to begin a new scene; 1 never. Painting has the same option."`
	Threads   int     `name:"threads" min:"0" max:"1024" help:"Threads to compute with; 0 takes all processors that the program may use."`
	Progress  string  `name:"progress" oneof:"auto,bar,plain,json,none" help:"How progress is told on stderr: auto, bar, plain, json, or none."`
	Quiet     bool    `name:"quiet" short:"q" help:"Say nothing but errors and the table."`
	Verbose   bool    `name:"verbose" short:"v" help:"Say whether the sandbox holds."`

	MaxPixels pipeline.Pixels `name:"max-pixels" min:"1" help:"Most pixels of a frame: 178M (powers of 1000)."`
	NoSandbox bool            `name:"no-sandbox" help:"Let the program and its ffmpeg open any file and the network."`

	Video video.Options `embed:"" group:"video"`
}

// notForKeys are options of film that keyframes have no use for.
var notForKeys = []string{"no-audio", "encoder", "encoder-options"}

// Help returns what --help says below the usage.
func (*keysCmd) Help() string {
	return `Propose the frames of a film to paint by hand: few and sharp ones that together show most of each scene, by the optical flow.

    nstfilter keys in.mkv 'keys/%05d.png'
    nstfilter keys -n 12 in.mkv 'keys/%05d.png'
    nstfilter keys 'frames/%05d.png' 'keys/%05d.png'

The numbers are those that the film's frames have in nstfilter in.mkv 'out/%05d.png', or those of the pictures. The table says which share of its scene each keyframe shows, of the pixels of all frames, and how much of that the ones before do not. Without -n each scene has at least one, unless it is shorter than a quarter of a second, and none that would add less than half a second of film.`
}

// BeforeResolve refuses options that keyframes have no use for.
func (c *keysCmd) BeforeResolve(k *kong.Context) error {
	return refuseFlags(k, notForKeys, "keyframes")
}

func (c *keysCmd) Run(e *commandEnv) error {
	if err := limits.Check(c); err != nil {
		return pipeline.UsageError{Err: err}
	}
	if c.Threads > 0 {
		runtime.GOMAXPROCS(c.Threads)
	}
	options, flow := pipeline.DefaultOptions(), coherence.DefaultOptions()
	options.Output, options.Overwrite, options.Threads, options.MaxPixels = c.Pictures, c.Overwrite, c.Threads, c.MaxPixels
	options.Progress, options.Quiet, options.Verbose, options.NoSandbox = c.Progress, c.Quiet, c.Verbose, c.NoSandbox
	flow.Cut = c.Cut
	job := pipeline.Job{
		Options: options, Filter: filter.DefaultOptions(), Coherence: flow, Video: c.Video, Inputs: []string{c.Film},
		Version: versionText(), TempDir: os.TempDir(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, DumbTerminal: os.Getenv("TERM") == "dumb", Stop: e.stop,
		Confine: func(a sandbox.Access) (string, error) { return sandbox.Confine(a, os.Getenv) },
	}
	restore := surviveClosedPipes()
	keys, err := job.Keys(e.ctx, c.Number, c.Sheet)
	if restore(); len(keys) == 0 {
		return err
	}
	if failed := writeKeys(os.Stdout, keys); failed != nil && err == nil {
		return failed
	}
	return err
}

// writeKeys writes the table of keyframes.
func writeKeys(w io.Writer, keys []pipeline.Keyframe) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "frame\ttime\tscene\tshows\tadds\t")
	for _, k := range keys {
		fmt.Fprintf(t, "%d\t%s\t%d\t%.0f%%\t%.0f%%\t\n", k.Number, pipeline.ClockText(k.Time), k.Scene, 100*k.Shows, 100*k.Adds)
	}
	return t.Flush()
}
