package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"nstfilter/filter"
	"nstfilter/pipeline"
	"nstfilter/pipeline/sandbox"
	"nstfilter/video"
	"nstfilter/video/coherence"
	"nstfilter/video/outfile"
)

type tryCmd struct {
	Job     pipeline.Options `embed:"" group:"job"`
	Filter  filter.Options   `embed:"" group:"filter"`
	Style   string           `arg:"" help:"Picture to paint like."`
	Content string           `arg:"" help:"Photo to paint."`
	Out     string           `arg:"" optional:"" help:"Where the result goes: CONTENT.try.png, in this folder, if it is not said."`
}

// notForTry are options of a job that a try has no use for.
var notForTry = []string{"style", "output", "recursive", "output-format", "restart", "no-resume", "save-preset", "jobs", "max-temp", "zero-latency"}

// tryPreset is what is tried with: draft, and steps enough at the last scale for a weight that is
// moved to show.
const tryPreset = "draft"

var (
	trySize       = filter.Size(384)
	tryIterations = filter.Steps{25, 15}
)

// Help returns what --help says below the usage.
func (*tryCmd) Help() string {
	return `The photo is small; the page opens in a browser, or its address is printed:

    nstfilter try styles/night.jpg photo.jpg

It has --preset draft, --iterations 25,15 and a --size of 384 unless you say otherwise. When the photo is done it waits: move a weight and it is painted on. "Stop and keep" on the page, or Ctrl-C, writes it and ends. "Save as preset" saves the weights without what only makes it quick: nstfilter --preset NAME photo.jpg out.jpg then paints it in full.`
}

// BeforeResolve gives kong the values of --preset, and those of a try.
func (c *tryCmd) BeforeResolve(k *kong.Context) error {
	if err := refuseFlags(k, notForTry, "a try"); err != nil {
		return err
	}
	own := slices.ContainsFunc(k.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Name == "preset" })
	iterations, _ := tryIterations.MarshalText() // never fails
	quick := map[string]string{"size": fmt.Sprint(int(trySize)), "output-size": "work", "iterations": string(iterations)}
	resolve := func() {
		k.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
			if v, ok := quick[f.Name]; ok {
				return v, nil
			}
			return nil, nil
		}))
	}
	if own { // which has the last word
		delete(quick, "iterations")
		resolve()
		return resolvePreset(k, "")
	}
	err := resolvePreset(k, tryPreset)
	resolve()
	return err
}

func (c *tryCmd) Run(e *commandEnv) error {
	if c.Job.Threads > 0 {
		runtime.GOMAXPROCS(c.Job.Threads)
	}
	if c.Job.Preview == "" {
		c.Job.Preview = "on"
	}
	c.Job.Style = []string{c.Style}
	out := c.Out
	if out == "" {
		name := filepath.Base(c.Content)
		out = strings.TrimSuffix(name, filepath.Ext(name)) + ".try.png"
		c.Job.Overwrite = true // the try before it
	}
	s := defaultSettings()
	s.Job, s.Filter = c.Job, c.Filter
	job := pipeline.Job{
		Options: c.Job, Flags: recordedFlags(s), Filter: c.Filter, Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(), Inputs: []string{c.Content, out},
		Version: versionText(), TempDir: os.TempDir(), NetworkFolder: networkFolder(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Stop: e.stop,
		Confine:      func(a sandbox.Access) (string, error) { return sandbox.Confine(a, os.Getenv) },
		SavePresetAs: savePresetAs(c.fullSettings()), PresetFolder: makePresetFolder(), Try: true, OpenPage: openPage, Getenv: os.Getenv,
	}
	defer surviveClosedPipes()()
	return job.Run(e.ctx)
}

// fullSettings are those of a try without what only makes it quick.
func (c *tryCmd) fullSettings() allSettings {
	s := defaultSettings()
	d := s.Filter
	s.Job, s.Filter = c.Job, c.Filter
	o := &s.Filter
	if o.Size == trySize {
		o.Size = d.Size
	}
	if o.OutputSize == "work" {
		o.OutputSize = d.OutputSize
	}
	if c.Job.Preset == "" {
		draft := builtinPresets[tryPreset]
		if slices.Equal(o.Iterations, tryIterations) {
			o.Iterations = d.Iterations
		}
		if text, _ := o.StyleSizes.MarshalText(); string(text) == draft["style-sizes"] {
			o.StyleSizes = d.StyleSizes
		}
		if o.FrameIterations == draft["iterations-per-frame"] {
			o.FrameIterations = d.FrameIterations
		}
	}
	return s
}

// savePresetAs returns what saves settings, with their weights multiplied, as one of the user's
// own presets.
func savePresetAs(s allSettings) func(name string, by filter.Factors, replace bool) (string, error) {
	return func(name string, by filter.Factors, replace bool) (string, error) {
		if _, names := ownPresets(); slices.Contains(names, name) && !replace {
			return "", fmt.Errorf("there is a preset %s: let it be replaced, or choose another name", name)
		}
		changed := s
		changed.Filter = by.Of(s.Filter)
		return savePreset(name, changed, outfile.Mode(replace))
	}
}

// openPage opens an address in the browser of a desktop, if there is one.
func openPage(url string) {
	var command []string
	switch {
	case runtime.GOOS == "darwin":
		command = []string{"open", url}
	case runtime.GOOS == "windows":
		command = []string{"rundll32", "url.dll,FileProtocolHandler", url}
	case os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != "":
		command = []string{"xdg-open", url}
	default:
		return
	}
	c := exec.Command(command[0], command[1:]...)
	if c.Start() == nil { // else the address is printed, and can be opened by hand
		go c.Wait()
	}
}
