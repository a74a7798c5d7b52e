package main

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"nstfilter/filter"
	"nstfilter/pipeline"
	"nstfilter/pipeline/sandbox"
	"nstfilter/video"
	"nstfilter/video/coherence"
	"nstfilter/video/outfile"
)

// commandEnv is what main gives to a command.
type commandEnv struct {
	ctx  context.Context // when cancelled, stop now
	stop context.Context // when cancelled, finish the current frame
}

// allSettings are the options of all packages.
type allSettings struct {
	Job       pipeline.Options  `embed:"" group:"job"`
	Filter    filter.Options    `embed:"" group:"filter"`
	Coherence coherence.Options `embed:"" group:"video"`
	Video     video.Options     `embed:"" group:"video"`
}

func defaultSettings() allSettings {
	return allSettings{pipeline.DefaultOptions(), filter.DefaultOptions(), coherence.DefaultOptions(), video.DefaultOptions()}
}

var optionGroups = []kong.Group{
	{Key: "job", Title: "The job:"},
	{Key: "filter", Title: "What decides the pixels:"},
	{Key: "video", Title: "Film:"},
}

type paintCmd struct {
	allSettings
	Inputs []string `arg:"" optional:"" help:"IN OUT; inputs alone with --output; none or - to paint from stdin to stdout."`
}

func (c *paintCmd) Run(e *commandEnv) error {
	if c.Job.Threads > 0 { // conversions of frames know no other limit
		runtime.GOMAXPROCS(c.Job.Threads)
	}
	if c.Job.SavePreset != "" {
		file, err := savePreset(c.Job.SavePreset, c.allSettings, outfile.Mode(c.Job.Overwrite))
		if err != nil {
			return err
		}
		if !c.Job.Quiet {
			fmt.Fprintf(os.Stderr, "nstfilter: saved %s: --preset %s takes it up\n", file, c.Job.SavePreset)
		}
		if len(c.Inputs) == 0 {
			return nil
		}
	}
	job := pipeline.Job{
		Options: c.Job, Flags: recordedFlags(c.allSettings), Filter: c.Filter, Coherence: c.Coherence, Video: c.Video, Inputs: c.Inputs,
		Version: versionText(), TempDir: os.TempDir(), NetworkFolder: networkFolder(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, DumbTerminal: os.Getenv("TERM") == "dumb", Stop: e.stop,
		Confine:      func(a sandbox.Access) (string, error) { return sandbox.Confine(a, os.Getenv) },
		SavePresetAs: savePresetAs(c.allSettings), Getenv: os.Getenv,
	}
	if c.Job.Preview != "" {
		job.PresetFolder = makePresetFolder()
	}
	restore := surviveClosedPipes()
	err := job.Run(e.ctx)
	if restore(); errors.Is(err, pipeline.ErrStdoutLeft) {
		os.Stdout.Write([]byte{0}) // ends the process by SIGPIPE, as its shell expects
	}
	return err
}

// commandLine declares the commands for kong.
type commandLine struct {
	helpFlags
	Paint   paintCmd   `cmd:"" default:"withargs" help:"Paint photos or film (what nstfilter does when no command is named)."`
	Sheet   sheetCmd   `cmd:"" help:"Paint small drafts of photos in several styles, on one picture to choose from."`
	Try     tryCmd     `cmd:"" help:"Paint a photo quickly in a style, on a page on which its weights can be moved."`
	Keys    keysCmd    `cmd:"" help:"Propose frames of a film to paint by hand."`
	Explain explainCmd `cmd:"" help:"Print the command that made a result."`
	Jobs    jobsCmd    `cmd:"" help:"List or remove what unfinished jobs have kept."`
	Weights weightsCmd `cmd:"" help:"List, verify and import networks."`
	Flow    flowCmd    `cmd:"" help:"Estimate or show the optical flow between two pictures."`
	Bench   benchCmd   `cmd:"" help:"Measure seconds per iteration on this machine."`
	Version versionCmd `cmd:"" help:"Say what this program is made of."`

	Man        manCmd        `cmd:"" help:"Print the manual, a page for man."`
	Completion completionCmd `cmd:"" help:"Print what makes a shell complete options, their values and files."`
	Complete   completeCmd   `cmd:"" hidden:"" help:"Print what a word of a command may become, for the shells' completion."`
}

// newParser makes a flag of each declared option. The flags' defaults are those of
// defaultSettings.
func newParser(g *commandLine) (*kong.Kong, error) {
	parser, err := kong.New(g,
		kong.Name("nstfilter"),
		kong.Description(programDescription),
		kong.NoDefaultHelp(),
		kong.ExplicitGroups(optionGroups),
		kong.KindMapper(reflect.String, kong.MapperFunc(takeText)),
		kong.KindMapper(reflect.Int, takeNumber(strconv.Atoi, "a whole number")),
		kong.KindMapper(reflect.Uint64, takeNumber(func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }, "a whole number from 0")),
		kong.KindMapper(reflect.Float64, takeNumber(func(s string) (float64, error) { return strconv.ParseFloat(s, 64) }, "a number")),
		kong.TypeMapper(reflect.TypeFor[pipeline.Preview](), previewMapper{}),
		kong.TypeMapper(reflect.TypeFor[time.Duration](), takeNumber(time.ParseDuration, "a time: write 2s or 500ms")),
	)
	if err != nil {
		return nil, err
	}
	declared := map[string]declaredOption{}
	for _, o := range declaredOptions(defaultSettings()) {
		declared[o.name] = o
	}
	for _, command := range parser.Model.Children {
		for _, flag := range command.Flags {
			o, ok := declared[flag.Name]
			if !ok || flag.Tag.Has("default") {
				continue
			}
			flag.HasDefault, flag.Default = o.value != "" && !flag.IsBool(), o.value
			if _, ok := flag.Target.Addr().Interface().(encoding.TextUnmarshaler); ok && flag.IsSlice() {
				flag.Tag.Sep = -1 // UnmarshalText splits the text itself
			}
		}
	}
	return parser, nil
}

// refuseFlags returns an error if one of names, options that are embedded but of no use for what a
// command does, is given.
func refuseFlags(k *kong.Context, names []string, what string) error {
	for _, p := range k.Path {
		if p.Flag != nil && slices.Contains(names, p.Flag.Name) {
			return fmt.Errorf("--%s is not for %s: leave it out", p.Flag.Name, what)
		}
	}
	return nil
}

// takeText takes a text byte by byte: kong's own way replaces the bytes of a file name that
// are not UTF-8.
func takeText(ctx *kong.DecodeContext, target reflect.Value) error {
	t, err := ctx.Scan.PopValue("text")
	if err == nil {
		target.SetString(t.String())
	}
	return err
}

// previewMapper takes --preview and --preview=ADDRESS.
type previewMapper struct{}

// IsBool tells kong that no value need follow.
func (previewMapper) IsBool() bool { return true }

// Decode takes the value behind = if there is one.
func (previewMapper) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	target.SetString("on")
	if ctx.Scan.Peek().Type == kong.FlagValueToken {
		target.SetString(ctx.Scan.Pop().String())
	}
	return nil
}

// takeNumber takes what parse reads, and says what it should have been: kong's own words are
// those of Go's types.
func takeNumber[T any](parse func(string) (T, error), kind string) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		t, err := ctx.Scan.PopValue("value")
		if err != nil {
			return err
		}
		v, err := parse(t.String())
		if err != nil {
			return fmt.Errorf("%q is not %s", t.String(), kind)
		}
		target.Set(reflect.ValueOf(v).Convert(target.Type()))
		return nil
	}
}

// declaredOption is one field of allSettings.
type declaredOption struct {
	name, short, group, value, help string

	preset bool // a preset may have it
	file   bool // its value names a file or a folder
	kind   reflect.Type
}

func (o *declaredOption) isBool() bool { return o.kind.Kind() == reflect.Bool }

// declaredOptions returns the fields of s in order, with their values as text.
func declaredOptions(s allSettings) []declaredOption {
	var list []declaredOption
	outer := reflect.ValueOf(&s).Elem()
	for i := range outer.NumField() {
		group := outer.Type().Field(i).Tag.Get("group")
		inner := outer.Field(i)
		for k := range inner.NumField() {
			tag := inner.Type().Field(k).Tag
			preset := tag.Get("preset") != "no"
			if group == "job" {
				preset = tag.Get("preset") == "yes"
			}
			placeholder := tag.Get("placeholder")
			list = append(list, declaredOption{
				tag.Get("name"), tag.Get("short"), group, valueText(inner.Field(k)), tag.Get("help"),
				preset, strings.Contains(placeholder, "FILE") || strings.Contains(placeholder, "DIR"), inner.Field(k).Type(),
			})
		}
	}
	return list
}

// valueText writes a value as its flag reads it. It returns "" for false and for an empty
// list.
func valueText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case encoding.TextMarshaler:
		b, err := x.MarshalText()
		if err != nil {
			panic(err) // a default has no text
		}
		return string(b)
	case bool:
		if !x {
			return ""
		}
	case []string:
		if len(x) == 0 {
			return ""
		}
	}
	return fmt.Sprint(v.Interface())
}
