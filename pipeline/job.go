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
	"nstfilter/pipeline/host"
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
	Inputs    []string // as in UsageExamples

	Version               string // of the program; another one does not go on with a job
	TempDir               string // where frames wait for --passes
	Stdin, Stdout, Stderr *os.File
	// Stop, when cancelled, ends the job after the current frame and keeps what is done.
	// A cancelled context of Run ends it at once and keeps nothing partial.
	Stop context.Context

	devices engines.Registry // nil for engines.Builtin
}

// Run does the job: several inputs side by side if there are several engines. One input
// that fails does not stop the others. The error is a UsageError if the command is wrong,
// and ErrInterrupted after Stop.
func (j *Job) Run(ctx context.Context) (err error) {
	if err := j.checkSettings(); err != nil {
		return err
	}
	tasks, err := parseInputs(j.Inputs, j.Output)
	if err != nil {
		return err
	}
	if err := j.checkTasks(tasks); err != nil {
		return err
	}
	if err := j.checkFilesRead(tasks); err != nil {
		return err
	}
	styles, err := newStyleTimeline(j.Style, j.Filter.StyleBlendWeights, j.Coherence.StyleFade, tasks)
	if err != nil {
		return err
	}
	if len(tasks) == 1 { // of several, each is checked when its turn comes
		if err := tasks[0].check(j.Overwrite); err != nil {
			return err
		}
	}
	var stats io.Writer
	if j.Stats != "" {
		file, err := j.openStats(tasks)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		stats = file
	}
	reporter := newReporter(j.Progress, j.Quiet, j.Stderr)
	defer reporter.close()
	workers, err := j.openWorkers(styles, stats, reporter, len(tasks))
	if err != nil {
		return err
	}
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	err = shareTasks(ctx, workers, tasks)
	if err == nil || errors.As(err, &PartlyError{}) {
		err = errors.Join(err, forgetBatch(tasks))
	}
	return err
}

// checkSettings reports settings out of range and settings that exclude each other.
func (j *Job) checkSettings() error {
	for _, err := range []error{j.Options.Validate(), j.Filter.Validate(), j.Coherence.Validate(), j.Video.Validate()} {
		if err != nil {
			return UsageError{err}
		}
	}
	if n := j.Coherence.Passes; n > 1 && j.ZeroLatency {
		return UsageErrorf("--passes %d with --zero-latency: a scene is painted again when all of it is known, so no frame can come out before the next is read: leave one out", n)
	} else if n > 1 && j.Filter.Init != "previous" {
		return UsageErrorf("--passes %d with --init %s: frames that start afresh have nothing from each other, which is what passes spread: leave one out", n, j.Filter.Init)
	}
	return nil
}

// filesRead are the files that the job reads beside its inputs.
func (j *Job) filesRead() []string {
	all := []string{strings.TrimPrefix(j.Filter.Init, "image:"), j.Weights}
	for _, s := range j.Style {
		if timed, err := parseStyle(s, fileExists); err == nil {
			all = append(all, timed.file)
		}
	}
	return all
}

// checkFilesRead reports a result that would replace a style or another file that the job
// reads.
func (j *Job) checkFilesRead(tasks []paintTask) error {
	for _, read := range j.filesRead() {
		info, err := os.Stat(read)
		if err != nil {
			continue // no file, which is said when it is read
		}
		for _, t := range tasks {
			results := []string{t.out}
			for _, p := range t.sequence {
				results = append(results, p.out)
			}
			for _, out := range results {
				if o, err := os.Stat(out); err == nil && os.SameFile(o, info) {
					return UsageErrorf("%s would be written over, and %s is painted with it: give the result another name", read, t.in)
				}
			}
		}
	}
	return nil
}

// checkTasks reports settings that do not suit the inputs.
func (j *Job) checkTasks(tasks []paintTask) error {
	if err := checkFilmOptions(&j.Video, tasks); err != nil {
		return err
	}
	first := &tasks[0]
	switch {
	case first.isPipe() && term.IsTerminal(int(j.Stdin.Fd())):
		return UsageErrorf("nothing to paint: no input is named and stdin is a terminal. Call it so:\n%s", UsageExamples)
	case first.isPipe() && term.IsTerminal(int(j.Stdout.Fd())):
		return UsageErrorf("stdout is a terminal, and frames are no text: pipe them on, or name files:\n%s", UsageExamples)
	case first.isPipe() && host.StdoutClosed():
		return UsageErrorf("stdout is closed, and there the frames would go: pipe them on, or name files:\n%s", UsageExamples)
	case !first.isPipe() && j.OutputFormat != "auto":
		return UsageErrorf("--output-format %s is for pipes: the extension of %s chooses what is written", j.OutputFormat, cmp.Or(first.out, j.Output, "the result"))
	case len(j.Style) == 0:
		return UsageErrorf("no style: name the picture to paint like with --style FILE")
	}
	if n := len(j.Filter.StyleBlendWeights); n > 0 && n != len(j.Style) {
		return UsageErrorf("--style-blend-weights has %d shares for %d styles: give one for each --style", n, len(j.Style))
	}
	return nil
}

// openWorkers reads the styles and the network, and makes a worker for each engine, but
// at most so many.
func (j *Job) openWorkers(styles *styleTimeline, stats io.Writer, reporter reporter, most int) ([]*worker, error) {
	pictures, err := readStyles(styles.styles)
	if err != nil {
		return nil, err
	}
	var start *filter.Frame
	if file, ok := strings.CutPrefix(j.Filter.Init, "image:"); ok {
		if start, err = photo.Read(file); err != nil {
			return nil, fmt.Errorf("--init image:%w", err)
		}
	}
	networks, err := j.networks()
	if err != nil {
		return nil, err
	}
	opened, err := j.openEngines(reporter, most)
	if err != nil {
		return nil, err
	}
	var workers []*worker
	for i, e := range opened {
		w := &worker{engine: e, workers: len(opened), reporter: reporter, stats: stats, stop: j.Stop,
			options: j.Options, settings: j.Filter, coherence: j.Coherence, video: j.Video, styles: styles,
			stdin: j.Stdin, stdout: j.Stdout, stderr: j.Stderr, tempDir: j.TempDir}
		if i > 0 {
			w.reporter = reporter.sibling()
		}
		if w.decisive, err = j.settingsText(networks, e.Name()); err != nil {
			for _, e := range opened {
				e.Close()
			}
			return nil, err
		}
		if err := w.openFilter(networks, pictures, start); err != nil {
			for _, e := range opened {
				e.Close()
			}
			return nil, UsageError{err} // the files are read, so a setting does not suit them
		}
		if j.Verbose {
			for _, n := range networks {
				reporter.say(fmt.Sprintf("%s computes, network %s (%.12s…) sees", e.Name(), n.Name, n.SHA256))
			}
		}
		workers = append(workers, w)
	}
	return workers, nil
}

// openFilter makes the worker's filter. A second network paints the last scale.
func (w *worker) openFilter(networks []*weights.Network, styles []*filter.Frame, start *filter.Frame) (err error) {
	if w.filter, err = filter.New(w.settings, w.engine, networks[0], styles); err != nil {
		return err
	}
	if len(networks) > 1 {
		if err := w.filter.FinishWith(networks[1]); err != nil {
			return err
		}
	}
	w.filter.InitImage = start
	w.filter.MaxMemory = w.memoryLimit()
	w.filter.OnProgress = w.reporter.step
	w.filter.ByLayer = w.stats != nil
	return nil
}

func readStyles(styles []timedStyle) (pictures []*filter.Frame, err error) {
	for _, s := range styles {
		f, err := photo.Read(s.file)
		if err != nil {
			return nil, fmt.Errorf("--style %w", err)
		}
		if min(f.W, f.H) < engine.MinSide {
			return nil, fmt.Errorf("--style %s: is %d×%d pixels, at least %d on each side are needed; enlarge it first", s.file, f.W, f.H, engine.MinSide)
		}
		pictures = append(pictures, f)
	}
	return pictures, nil
}

// networks returns the network that paints, and a second one if the last scale has its
// own.
func (j *Job) networks() (networks []*weights.Network, err error) {
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
		networks = append(networks, n)
	}
	return networks, nil
}

func (j *Job) openEngines(reporter reporter, most int) ([]engine.Engine, error) {
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
			reporter.say(note)
		}
	}
	return opened, nil
}
