package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/photo"
	"nstfilter/video"
	"nstfilter/video/coherence"
	"nstfilter/weights"
)

// Job is one call of the program: what to paint, how, and the streams to use.
type Job struct {
	Options
	Filter    filter.Options
	Coherence coherence.Options
	Video     video.Options
	Inputs    []string // see Doors

	TempDir               string // where frames wait for --passes
	Stdin, Stdout, Stderr *os.File
	// Stop, when cancelled, ends the job after the frame at hand and keeps what
	// is done; cancelling Run's own context ends it now and keeps nothing partial.
	Stop context.Context

	devices  engines.Registry // nil: engines.Builtin
	stats    io.Writer        // takes whole lines from any goroutine; nil: none
	styles   []timedStyle
	timeline *coherence.Timeline
}

// Run does the job, a batch's inputs side by side where there are several engines.
// In a batch one input that fails does not stop the others.
// Errors are UsageError where the command is wrong, ErrInterrupted after Stop.
func (j *Job) Run(ctx context.Context) (err error) {
	for _, err := range []error{j.Options.Validate(), j.Filter.Validate(), j.Coherence.Validate(), j.Video.Validate()} {
		if err != nil {
			return UsageError{err}
		}
	}
	if n := j.Coherence.Passes; n > 1 && j.ZeroLatency {
		return usageError("--passes %d with --zero-latency: a scene is painted again when all of it is known, so no frame can come out before the next is read: leave one out", n)
	} else if n > 1 && j.Filter.Init != "previous" {
		return usageError("--passes %d with --init %s: frames that start afresh have nothing from each other, which is what passes spread: leave one out", n, j.Filter.Init)
	}
	tasks, err := j.tasks()
	if err != nil {
		return err
	}
	if err := j.filmless(tasks); err != nil {
		return err
	}
	if tasks[0].pipe() {
		if term.IsTerminal(int(j.Stdin.Fd())) {
			return usageError("nothing to paint: no input is named and stdin is a terminal. Call it so:\n%s", UsageExamples)
		}
		if term.IsTerminal(int(j.Stdout.Fd())) {
			return usageError("stdout is a terminal, and frames are no text: pipe them on, or name files:\n%s", UsageExamples)
		}
	}
	if !tasks[0].pipe() && j.OutputFormat != "auto" {
		return usageError("--output-format %s is for pipes: the extension of %s chooses what is written", j.OutputFormat, cmp.Or(tasks[0].out, j.Output, "the result"))
	}
	if len(j.Style) == 0 {
		return usageError("no style: name the picture to paint like with --style FILE")
	}
	if n := len(j.Filter.StyleBlendWeights); n > 0 && n != len(j.Style) {
		return usageError("--style-blend-weights has %d shares for %d styles: give one for each --style", n, len(j.Style))
	}
	if err := j.parseStyles(tasks); err != nil {
		return err
	}
	if len(tasks) == 1 {
		if err := tasks[0].check(j.Overwrite); err != nil {
			return err
		}
	}
	if j.Stats != "" {
		file, err := os.Create(j.Stats)
		if err != nil {
			return fmt.Errorf("--stats: %w", err)
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		j.stats = file
	}
	tell := newReporter(j.Progress, j.Stderr)
	defer tell.close()
	workers, err := j.open(tell, len(tasks))
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	return shareTasks(ctx, workers, tasks)
}

// open reads the styles and the network, and makes a worker for each engine, at most
// so many.
func (j *Job) open(tell reporter, most int) ([]*worker, error) {
	var styles []*filter.Frame
	for _, style := range j.styles {
		s, err := photo.Read(style.file)
		if err != nil {
			return nil, fmt.Errorf("--style %w", err)
		}
		if min(s.W, s.H) < engine.MinSide {
			return nil, fmt.Errorf("--style %s: is %d×%d pixels, at least %d on each side are needed; enlarge it first", style.file, s.W, s.H, engine.MinSide)
		}
		styles = append(styles, s)
	}
	var start *filter.Frame
	if file, ok := strings.CutPrefix(j.Filter.Init, "image:"); ok {
		var err error
		if start, err = photo.Read(file); err != nil {
			return nil, fmt.Errorf("--init image:%w", err)
		}
	}
	networks, err := j.networks()
	if err != nil {
		return nil, err
	}
	registry := j.devices
	if registry == nil {
		registry = engines.Builtin
	}
	opened, notes, err := registry.Open(j.Device, j.ISA, j.Threads, most)
	if errors.As(err, &engines.ChoiceError{}) {
		return nil, UsageError{err}
	} else if err != nil {
		return nil, err
	}
	for _, note := range notes {
		if j.Verbose || j.Device != "auto" {
			tell.say(note)
		}
	}
	var workers []*worker
	for i, e := range opened {
		w := &worker{Job: j, engine: e, reporter: tell, workers: len(opened)}
		if i > 0 {
			w.reporter = tell.sibling()
		}
		w.filter, err = filter.New(j.Filter, e, networks[0], styles)
		if err == nil && len(networks) > 1 {
			err = w.filter.FinishWith(networks[1])
		}
		if err != nil {
			for _, e := range opened {
				closeEngine(e)
			}
			return nil, UsageError{err} // files are read: a setting does not suit
		}
		w.filter.InitImage = start
		w.filter.MaxMemory = w.memoryLimit()
		w.filter.OnProgress = w.reporter.step
		w.filter.ByLayer = w.stats != nil
		if j.Verbose {
			for _, n := range networks {
				tell.say(fmt.Sprintf("%s computes, network %s (%.12s…) sees", e.Name(), n.Name, n.SHA256))
			}
		}
		workers = append(workers, w)
	}
	return workers, nil
}

// networks are the one that paints and, if it is another, the one that paints the last scale.
func (j *Job) networks() (out []*weights.Network, err error) {
	if j.Weights != "" {
		n, err := weights.Open(j.Weights)
		if err != nil {
			return nil, fmt.Errorf("--weights: %w", err)
		}
		return []*weights.Network{n}, nil
	}
	for _, name := range strings.Split(j.Network, "+") {
		n, err := weights.Load(name)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
