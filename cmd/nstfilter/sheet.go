package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/alecthomas/kong"

	"nstfilter/filter"
	"nstfilter/pipeline"
	"nstfilter/pipeline/sandbox"
	"nstfilter/video"
	"nstfilter/video/coherence"
)

type sheetCmd struct {
	Job    pipeline.Options `embed:"" group:"job"`
	Filter filter.Options   `embed:"" group:"filter"`
	Inputs []string         `arg:"" optional:"" help:"Photos, as files or globs."`
}

// sheetPreset is what a sheet is painted with unless --preset says otherwise.
const sheetPreset = "draft"

// notForSheets are options of a job that a sheet has no use for.
var notForSheets = []string{"output-format", "restart", "no-resume", "save-preset", "max-temp", "zero-latency", "stats", "preview", "preview-token"}

// Help returns what --help says below the usage.
func (*sheetCmd) Help() string {
	return `Paint small drafts of each photo in each style, and lay them out on one picture:

    nstfilter sheet --style 'styles/*' -o sheet.jpg photos/*.jpg

Drafts have --preset draft and a --size of 320 unless you say otherwise. nstfilter explain sheet.jpg prints the command that paints each of them in full.`
}

// BeforeResolve gives kong the values of --preset.
func (c *sheetCmd) BeforeResolve(k *kong.Context) error {
	if err := refuseFlags(k, notForSheets, "sheets"); err != nil {
		return err
	}
	return resolvePreset(k, sheetPreset)
}

func (c *sheetCmd) Run(e *commandEnv) error {
	if c.Job.Threads > 0 {
		runtime.GOMAXPROCS(c.Job.Threads)
	}
	job := pipeline.Job{
		Options: c.Job, Flags: c.fullFlags(), Filter: c.Filter, Coherence: coherence.DefaultOptions(), Video: video.DefaultOptions(), Inputs: c.Inputs,
		Version: versionText(), TempDir: os.TempDir(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, DumbTerminal: os.Getenv("TERM") == "dumb", Stop: e.stop,
		Confine: func(a sandbox.Access) (string, error) { return sandbox.Confine(a, os.Getenv) },
	}
	defer surviveClosedPipes()()
	return job.Sheet(e.ctx)
}

// fullFlags returns the flags that paint a draft in full: without its size, and without what
// only makes it quick.
func (c *sheetCmd) fullFlags() (flags []string) {
	s := defaultSettings()
	s.Job, s.Filter = c.Job, c.Filter
	s.Filter.Size = 0
	quick := map[string]any{}
	if c.Job.Preset == "" {
		quick = builtinPresets[sheetPreset]
	}
	for _, flag := range recordedFlags(s) {
		if !slices.ContainsFunc(declaredOptions(s), func(o declaredOption) bool {
			v, ok := quick[o.name]
			return ok && flag == o.flag(fmt.Sprint(v))
		}) {
			flags = append(flags, flag)
		}
	}
	return flags
}
