package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/term"

	"nstfilter/filter"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/engines"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/sandbox"
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

	// Flags are the settings that decide the pixels and differ from the defaults, --name=value,
	// but for the styles: for the record in each result.
	Flags []string

	Version               string // of the program; another one does not go on with a job
	TempDir               string // where frames wait for --passes
	NetworkFolder         string // of networks that were imported, as vgg19.safetensors
	Stdin, Stdout, Stderr *os.File
	DumbTerminal          bool // Stderr's terminal cannot move its cursor: TERM=dumb
	// Stop, when cancelled, ends the job after the current frame and keeps what is done.
	// A cancelled context of Run ends it at once and keeps nothing partial.
	Stop context.Context

	// Confine, if not nil, is called before any input is decoded, unless --no-sandbox is given. It
	// keeps the process from opening what the job does not need, and says how: sandbox.Confine.
	Confine func(sandbox.Access) (how string, err error)

	// SavePresetAs saves the settings of this command, their weights multiplied, as a preset, and
	// PresetFolder is where: for --preview.
	SavePresetAs func(name string, by filter.Factors, replace bool) (file string, err error)
	PresetFolder string
	// Try makes a photo wait in the preview once it is done, to be painted on with other weights,
	// until it is stopped there.
	Try bool
	// Getenv tells which terminal it is, for --preview=term; nil: it is not known.
	Getenv func(string) string
	// OpenPage, if not nil, is called with the address of --preview, before Confine.
	OpenPage func(url string)

	devices engines.Registry // nil for engines.Builtin
}

// Run does the job: several inputs side by side if there are several engines. One input
// that fails does not stop the others. The error is a UsageError if the command is wrong,
// and ErrInterrupted after Stop.
func (j *Job) Run(ctx context.Context) (err error) {
	if err := checkAddresses(host.AddressLimit()); err != nil {
		return err
	}
	if err := j.checkSettings(); err != nil {
		return err
	}
	if j.Try && isFilm(j.Inputs[0]) { // which its result, a photo, does not suit
		return notOnePhoto(j.Inputs[0])
	}
	if len(j.Style) == 0 && len(j.Key) == 0 && len(j.Inputs) > 0 {
		return j.noStyle()
	}
	tasks, notes, err := parseInputs(j.Inputs, j.Output, j.Recursive)
	if err != nil {
		return err
	}
	if err := j.checkTasks(tasks); err != nil {
		return err
	}
	if err := j.findMaps(tasks); err != nil {
		return err
	}
	if err := j.checkKeys(tasks); err != nil {
		return err
	}
	if err := j.checkFilesRead(tasks); err != nil {
		return err
	}
	styles, err := newStyleTimeline(j.Style, j.Filter.StyleBlendWeights, j.Coherence.StyleFade, tasks)
	if err != nil {
		return err
	}
	if err := styles.checkFiles(); err != nil {
		return err
	}
	if err := j.checkMasks(styles); err != nil {
		return err
	}
	if err := makeFolders(tasks); err != nil {
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
	screen, err := j.openScreen()
	if err != nil {
		return err
	}
	reporter := j.openReporter(screen)
	defer reporter.close()
	for _, note := range notes {
		reporter.say(note)
	}
	page, err := j.openPreview(len(tasks), screen, reporter)
	if err != nil {
		return err
	}
	if page != nil {
		reporter = &previewReporter{reporter: reporter, server: page}
		defer func() { err = errors.Join(err, closePreview(page, err)) }()
	}
	workers, err := j.openWorkers(ctx, tasks, styles, stats, reporter)
	if err != nil {
		return err
	}
	workers[0].show(page)
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	err = shareTasks(ctx, workers, tasks)
	if err == nil || errors.As(err, &PartlyError{}) {
		err = errors.Join(err, removeBatchPartials(tasks))
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
	switch {
	case !j.ZeroLatency:
	case len(j.Key) > 0:
		return UsageErrorf("--key with --zero-latency: frames before a key wait for it, so that it can be carried back to them: leave one out")
	case j.Coherence.Stride > 1:
		return UsageErrorf("--stride with --zero-latency: the frames between two that are painted wait for the second one: leave one out")
	case j.Coherence.Anew:
		return UsageErrorf("--anew with --zero-latency: frames wait until enough has come into sight: leave one out")
	case j.Coherence.Loop:
		return UsageErrorf("--loop with --zero-latency: the last frames wait for the end, where the first one's result is carried back to them: leave one out")
	}
	if j.ZeroLatency { // auto, of a preset
		j.Coherence.Stride = 1
	}
	if (j.Coherence.Stride > 1 || j.Coherence.Anew || j.Coherence.Loop) && j.Filter.Init != "previous" {
		return UsageErrorf("--stride, --anew and --loop with --init %s: frames that start afresh have nothing from each other: leave one out", j.Filter.Init)
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
	var all []string
	if j.Weights != "" {
		all = append(all, j.Weights)
	}
	if start, ok := strings.CutPrefix(j.Filter.Init, "image:"); ok {
		all = append(all, start)
	}
	for _, s := range j.Style {
		if timed, err := parseStyle(s, fileExists); err == nil {
			all = append(all, timed.file)
		}
	}
	return append(all, j.StyleMask...)
}

// checkFilesRead reports a result that would replace a style or another file that the job
// reads.
func (j *Job) checkFilesRead(tasks []paintTask) error {
	type result struct {
		info os.FileInfo
		in   string
	}
	var there []result
	files := j.filesRead()
	for _, t := range tasks {
		files = append(append(files, t.strength.files()...), t.mask.files()...)
		for _, k := range t.keys {
			files = append(files, k.path)
		}
		for _, out := range t.results() {
			if info, err := os.Stat(out); err == nil {
				there = append(there, result{info, t.in})
			}
		}
	}
	if len(there) == 0 {
		return nil
	}
	slices.Sort(files)
	for _, read := range slices.Compact(files) {
		info, err := os.Stat(read)
		if err != nil {
			continue // no file, which is said when it is read
		}
		for _, r := range there {
			if os.SameFile(r.info, info) {
				return UsageErrorf("%s would be written over, and %s is painted with it: give the result another name", read, r.in)
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
	case j.Try && (len(tasks) > 1 || !first.isPhoto() || first.sequence != nil):
		return notOnePhoto(first.in)
	case first.isPipe() && term.IsTerminal(int(j.Stdin.Fd())):
		return UsageErrorf("nothing to paint: no input is named and stdin is a terminal. Call it so:\n%s", UsageExamples)
	case first.isPipe() && term.IsTerminal(int(j.Stdout.Fd())):
		return UsageErrorf("stdout is a terminal, and frames are no text: pipe them on, or name files:\n%s", UsageExamples)
	case first.isPipe() && host.StdoutClosed():
		return UsageErrorf("stdout is closed, and there the frames would go: pipe them on, or name files:\n%s", UsageExamples)
	case !first.isPipe() && j.OutputFormat != "auto":
		return UsageErrorf("--output-format %s is for pipes: the extension of %s chooses what is written", j.OutputFormat, cmp.Or(first.out, j.Output, "the result"))
	case len(j.Style) == 0 && len(j.Key) == 0:
		return j.noStyle()
	}
	if n := len(j.Filter.StyleBlendWeights); n > 0 && n != len(j.Style) {
		return UsageErrorf("--style-blend-weights has %d shares for %d styles: give one for each --style", n, len(j.Style))
	}
	return nil
}

// noStyle says how to name a style. Of three arguments the first may have been meant for it.
func (j *Job) noStyle() error {
	example := "--style FILE"
	if len(j.Inputs) == 3 && j.Output == "" {
		example = "--style FILE: nstfilter --style " + strings.Join(j.Inputs, " ")
	}
	return UsageErrorf("no style: name the picture to paint like with %s", example)
}

// openWorkers opens the engines, confines the process, reads the styles and the network, and
// makes a worker for each engine.
func (j *Job) openWorkers(ctx context.Context, tasks []paintTask, styles *styleTimeline, stats io.Writer, reporter reporter) (workers []*worker, err error) {
	most := len(tasks)
	if j.Preview != "" {
		most = 1 // what its page shows
	}
	opened, err := j.openEngines(reporter, most)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, e := range opened {
				e.Close()
			}
		}
	}()
	if err := j.confine(tasks, opened, reporter); err != nil {
		return nil, err
	}
	networks, err := j.networks()
	if err != nil {
		return nil, err
	}
	for i, e := range opened {
		w := &worker{engine: e, workers: len(opened), reporter: reporter, stats: stats, stop: j.Stop,
			options: j.Options, settings: j.Filter, coherence: j.Coherence, video: j.Video, styles: styles, keys: tasks[0].keys,
			stdin: j.Stdin, stdout: j.Stdout, stderr: j.Stderr, tempDir: j.TempDir}
		if t, ok := e.(engine.Threads); ok && j.Jobs > 1 {
			w.options.Threads = t.Threads()
		}
		if i > 0 {
			w.reporter = reporter.sibling()
		}
		workers = append(workers, w)
	}
	if _, err := workers[0].memoryLimit(); err != nil { // before the styles take some of it
		return nil, err
	}
	own, err := workers[0].readStyles()
	if err != nil {
		return nil, err
	}
	regions, err := workers[0].readRegions(ctx, tasks, own.styles[:len(styles.styles)]) // a key is a style of all regions
	if err != nil {
		return nil, err
	}
	decisive, err := j.settingsText(networks, styles.styles)
	if err != nil {
		return nil, err
	}
	made, err := j.recipe(networks, styles.styles)
	if err != nil {
		return nil, err
	}
	for _, w := range workers {
		w.regions, w.made = regions, made
		w.decisive = maps.Clone(decisive) // two engines do not round alike
		w.decisive["device"] = undecisive.ReplaceAllString(w.engine.Name(), "")
		w.own = own
		if err := w.openFilter(networks); err != nil {
			return nil, UsageError{err} // the files are read, so a setting does not suit them
		}
		if j.Verbose {
			for _, n := range networks {
				reporter.say(fmt.Sprintf("%s computes, network %s (%.12s…) sees", w.engine.Name(), n.Name, n.SHA256))
			}
		}
	}
	return workers, nil
}

// openFilter makes the worker's filter. A second network paints the last scale.
func (w *worker) openFilter(networks []*weights.Network) error {
	limit, err := w.memoryLimit()
	if err != nil {
		return err
	}
	styles, start, err := w.own.in(nil)
	if err != nil {
		return err
	}
	settings := w.settings
	if len(w.keys) > 0 {
		settings.StyleBlendWeights = nil // each frame has its shares
	}
	f, err := filter.New(settings, w.engine, networks[0], styles)
	if err != nil {
		return err
	}
	if len(networks) > 1 {
		if err := f.FinishWith(networks[1]); err != nil {
			return err
		}
	}
	f.InitImage = start
	f.MaxMemory = limit
	f.OnProgress = w.reporter.step
	f.ByLayer = w.stats != nil
	w.filter = f
	return nil
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
		n, err := weights.Named(name, j.NetworkFolder)
		if err != nil {
			return nil, err
		}
		networks = append(networks, n)
	}
	return networks, nil
}

// openEngines opens the engines that compute, but at most so many.
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
	if n := min(j.Jobs, most); n > 1 && len(opened) == 1 {
		return j.shareThreads(registry, opened[0], n)
	}
	return opened, nil
}

// shareThreads opens n engines that share the threads of one, unless that computes elsewhere.
func (j *Job) shareThreads(registry engines.Registry, one engine.Engine, n int) (opened []engine.Engine, err error) {
	if _, ok := one.(engine.DeviceMemory); ok {
		return []engine.Engine{one}, nil
	}
	threads := cmp.Or(j.Threads, runtime.GOMAXPROCS(0))
	one.Close()
	for range n {
		e, err := registry.OpenOne(j.Device, j.ISA, max(threads/n, 1))
		if err != nil {
			for _, e := range opened {
				e.Close()
			}
			return nil, err
		}
		opened = append(opened, e)
	}
	return opened, nil
}

// confine calls Job.Confine unless --no-sandbox says otherwise. Engines are open by then, for
// drivers make their device files, and name their threads, at the start.
func (j *Job) confine(tasks []paintTask, opened []engine.Engine, r reporter) error {
	how := "off, by --no-sandbox"
	switch {
	case j.Confine == nil:
		return nil
	case !j.NoSandbox:
		var err error
		if how, err = j.Confine(j.access(tasks, opened)); err != nil {
			return fmt.Errorf("the sandbox failed: %w: --no-sandbox goes without it", err)
		}
	}
	if j.Verbose {
		r.say("sandbox " + how)
	}
	return nil
}

// access returns what the job opens from now on.
func (j *Job) access(tasks []paintTask, opened []engine.Engine) sandbox.Access {
	a := sandbox.Access{GPU: j.Video.HWAccel != "" || j.Video.Encoder != "auto"}
	for _, e := range opened {
		if _, ok := e.(engine.DeviceMemory); ok {
			a.GPU = true
		}
	}
	reads, writes := pathSet{}, pathSet{}
	for _, file := range j.filesRead() {
		reads.add(file)
	}
	reads.add(j.Coherence.FlowFrom)
	writes.add(j.TempDir)
	if j.Preview != "" {
		writes.add(j.PresetFolder)
	}
	for _, t := range tasks {
		for _, m := range []*mapFile{t.strength, t.mask} {
			a.Film = a.Film || m != nil && m.film
			reads.addMap(m)
		}
		for _, k := range t.keys {
			reads.add(k.path)
		}
		if t.isPipe() {
			continue
		}
		if t.sequence == nil {
			a.Film = a.Film || !t.isPhoto()
			reads.add(t.in)
			writes.addFolder(t.out)
			continue
		}
		writes.addFolder(cmp.Or(t.pattern, t.out)) // of its journal
		a.Film = a.Film || t.pattern == ""
		for _, p := range t.sequence {
			reads.addFolder(p.in)
			if p.out != "" {
				writes.addFolder(p.out)
			}
		}
	}
	a.Read, a.Write = reads.list, writes.list
	return a
}

// pathSet lists paths, each once.
type pathSet struct {
	has  map[string]bool
	list []string
}

// add adds path, if it is not empty.
func (s *pathSet) add(path string) {
	if path == "" || s.has[path] {
		return
	}
	if s.has == nil {
		s.has = map[string]bool{}
	}
	s.has[path] = true
	s.list = append(s.list, path)
}

// addMap adds the files of a map, or the folders of its numbered pictures.
func (s *pathSet) addMap(m *mapFile) {
	for _, file := range m.files() {
		if m.sequence == nil {
			s.add(file)
		} else {
			s.addFolder(file)
		}
	}
}

// addFolder adds the folder of a file, and that of the file that it links to.
func (s *pathSet) addFolder(file string) {
	s.add(filepath.Dir(file))
	if target, err := filepath.EvalSymlinks(file); err == nil {
		s.add(filepath.Dir(target))
	}
}
