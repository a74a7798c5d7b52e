package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/recipe"
)

// Stat is one line of --stats: a JSON object about one picture.
type Stat struct {
	Index      int                `json:"index"`
	PTS        int64              `json:"pts"`
	PTSTime    float64            `json:"pts_time"` // seconds
	Input      string             `json:"input"`    // file, or - for stdin
	Width      int                `json:"width"`    // painted at
	Height     int                `json:"height"`
	Iterations int                `json:"iterations"` // of all passes; losses are the last one's
	Losses     filter.Losses      `json:"losses"`
	Stopped    string             `json:"stopped,omitempty"` // why: iterations, settled, deadline, or transparent if nothing was painted
	ByHand     []string           `json:"by_hand,omitempty"` // what was changed in the preview, and when
	Seconds    map[string]float64 `json:"seconds"`           // by stage: decode, flow (beside the painting of the frame before), guide, those of filter.Report, encode
	PeakMemory int64              `json:"peak_memory_bytes,omitempty"`
}

// openStats opens the file of --stats. It must not be one of the job's other files, nor
// exist unless it may be replaced. If an earlier run of the job is gone on with, lines are
// added to it.
func (j *Job) openStats(tasks []paintTask) (*os.File, error) {
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	info, err := os.Stat(j.Stats)
	if err == nil {
		for _, other := range j.filesOf(tasks) {
			if o, err := os.Stat(other); err == nil && os.SameFile(o, info) {
				return nil, UsageErrorf("--stats %s is also an input, a style or a result: give it another name", j.Stats)
			}
		}
		switch {
		case !info.Mode().IsRegular(): // /dev/stderr, a FIFO
			flags = os.O_WRONLY
		case !j.Restart && slices.ContainsFunc(tasks, func(t paintTask) bool { return t.unfinished() }):
			flags = os.O_WRONLY | os.O_APPEND
		case j.Overwrite:
			flags = os.O_WRONLY | os.O_TRUNC
		default:
			return nil, fmt.Errorf("--stats %s exists: add -y to replace it, or choose another name", j.Stats)
		}
	}
	file, err := os.OpenFile(j.Stats, flags, 0o666)
	if err != nil {
		return nil, fmt.Errorf("--stats: %w", err)
	}
	return file, nil
}

// filesOf are all files that the job reads or makes.
func (j *Job) filesOf(tasks []paintTask) []string {
	all := j.filesRead()
	for _, t := range tasks {
		all = append(append(all, t.in), t.results()...)
		for _, p := range t.sequence {
			all = append(all, p.in)
		}
	}
	return all
}

// statLedger collects the Stat of each frame of one input. The stages that add to it run in
// different goroutines.
type statLedger struct {
	input    string
	out      io.Writer // of --stats; nil if there is none
	reporter reporter

	kept int // frames that an earlier run painted, at the beginning

	mu      sync.Mutex
	entries map[int]*Stat // by frame index
	done    int           // frames written
	last    float64       // when the last of them ends, in seconds

	lastBegin float64 // when the last of them begins, in seconds
}

func newLedger(input string, out io.Writer, r reporter) *statLedger {
	return &statLedger{input: input, out: out, reporter: r, entries: map[int]*Stat{}}
}

func (l *statLedger) entry(f *filter.Frame) *Stat {
	s := l.entries[f.Index]
	if s == nil {
		s = &Stat{Index: f.Index, PTS: f.PTS, PTSTime: presentedAt(f), Input: l.input, Width: f.W, Height: f.H, Seconds: map[string]float64{}}
		l.entries[f.Index] = s
	}
	return s
}

// presentedAt returns the frame's time in seconds, or 0 if it has none.
func presentedAt(f *filter.Frame) float64 {
	if f.TimeBase.Den <= 0 {
		return 0
	}
	return float64(f.PTS) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
}

// addSeconds adds the time that a stage took for f.
func (l *statLedger) addSeconds(f *filter.Frame, stage string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entry(f).Seconds[stage] += took.Seconds()
}

// timeSource is a stage that measures how long the source takes for each frame.
func (l *statLedger) timeSource(_ context.Context, in Frames) Frames {
	return func(yield func(*filter.Frame, error) bool) {
		start := time.Now()
		for f, err := range in {
			if err == nil {
				l.addSeconds(f, "decode", time.Since(start))
			}
			if !yield(f, err) || err != nil {
				return
			}
			start = time.Now()
		}
	}
}

// painted adds one pass over f.
func (l *statLedger) painted(f *filter.Frame, r *filter.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.entry(f)
	s.Width, s.Height, s.Stopped, s.Losses = r.W, r.H, r.Stopped, r.Losses
	s.Iterations += r.Iterations
	s.ByHand = append(s.ByHand, r.ByHand...)
	for stage, took := range r.Seconds {
		s.Seconds[stage] += took
	}
}

// madeByHand returns made, the recipe of every result, with what was changed by hand in f. made
// may be nil.
func (l *statLedger) madeByHand(f *filter.Frame, made *recipe.Recipe) *recipe.Recipe {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.entries[f.Index]
	if made == nil || s == nil || len(s.ByHand) == 0 {
		return made
	}
	own := *made
	own.ByHand = s.ByHand
	return &own
}

// written finishes f's entry and writes it.
func (l *statLedger) written(f *filter.Frame, took time.Duration) error {
	l.addSeconds(f, "encode", took)
	l.mu.Lock()
	s := l.entries[f.Index]
	delete(l.entries, f.Index)
	l.done++
	l.last, l.lastBegin = s.PTSTime, s.PTSTime
	if f.TimeBase.Den > 0 {
		l.last += float64(f.Duration) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
	}
	l.mu.Unlock()
	if f.Index < l.kept {
		return nil // its line is of the earlier run
	}
	s.PeakMemory = host.PeakMemory()
	l.reporter.frame(s)
	if l.out == nil {
		return nil
	}
	line, err := json.Marshal(s)
	if err == nil {
		_, err = l.out.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("--stats: frame %d: %w", f.Index, err)
	}
	return nil
}

// statSink times a sink and finishes the entries of the frames that it has written.
type statSink struct {
	Sink
	ledger *statLedger
}

func (s statSink) WriteFrame(f *filter.Frame) error {
	start := time.Now()
	if err := s.Sink.WriteFrame(f); err != nil {
		return err
	}
	return s.ledger.written(f, time.Since(start))
}
