package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
)

// Stat is what --stats says of one picture, one JSON object a line.
type Stat struct {
	Index      int                `json:"index"`
	PTS        int64              `json:"pts"`
	PTSTime    float64            `json:"pts_time"` // seconds
	Input      string             `json:"input"`    // file, or - for stdin
	Width      int                `json:"width"`    // painted at
	Height     int                `json:"height"`
	Iterations int                `json:"iterations"` // of all passes; losses are the last one's
	Losses     filter.Losses      `json:"losses"`
	Stopped    string             `json:"stopped,omitempty"` // by iterations, settled or deadline; transparent: not begun
	Seconds    map[string]float64 `json:"seconds"`           // by stage: decode, flow (while the frame before is painted), guide, what filter.Report lists, encode
	PeakMemory int64              `json:"peak_memory_bytes,omitempty"`
}

// ledger gathers each frame's Stat from the stages that it passes, which run in
// different goroutines.
type statLedger struct {
	input    string
	out      io.Writer // of --stats; nil: none
	reporter reporter

	mu      sync.Mutex
	entries map[int]*Stat // by frame index
	done    int
	last    float64 // seconds at which the latest written frame ends
}

func newLedger(input string, out io.Writer, tell reporter) *statLedger {
	return &statLedger{input: input, out: out, reporter: tell, entries: map[int]*Stat{}}
}

func (l *statLedger) entry(f *filter.Frame) *Stat {
	s := l.entries[f.Index]
	if s == nil {
		s = &Stat{Index: f.Index, PTS: f.PTS, PTSTime: presentedAt(f), Input: l.input, Width: f.W, Height: f.H, Seconds: map[string]float64{}}
		l.entries[f.Index] = s
	}
	return s
}

// presented is the frame's time, in seconds; 0 where it has none.
func presentedAt(f *filter.Frame) float64 {
	if f.TimeBase.Den <= 0 {
		return 0
	}
	return float64(f.PTS) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
}

// add notes the seconds that a stage took for f.
func (l *statLedger) addSeconds(f *filter.Frame, stage string, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entry(f).Seconds[stage] += took.Seconds()
}

// decoded is a stage that times the source before it.
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

// painted notes how f was painted, or painted again.
func (l *statLedger) painted(f *filter.Frame, r *filter.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.entry(f)
	s.Width, s.Height, s.Stopped, s.Losses = r.W, r.H, r.Stopped, r.Losses
	s.Iterations += r.Iterations
	for stage, took := range r.Seconds {
		s.Seconds[stage] += took
	}
}

// written closes f's entry.
func (l *statLedger) written(f *filter.Frame, took time.Duration) error {
	l.addSeconds(f, "encode", took)
	l.mu.Lock()
	s := l.entries[f.Index]
	delete(l.entries, f.Index)
	l.done++
	l.last = s.PTSTime
	if f.TimeBase.Den > 0 {
		l.last += float64(f.Duration) * float64(f.TimeBase.Num) / float64(f.TimeBase.Den)
	}
	l.mu.Unlock()
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
