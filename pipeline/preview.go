package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"golang.org/x/term"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/pipeline/preview"
)

// openPreview opens the page of --preview, before the process is confined, and says where it is.
// The job's Stop then ends it too. Without --preview the server is nil.
func (j *Job) openPreview(tasks int, screen *preview.Terminal, r reporter) (*preview.Server, error) {
	if j.Preview == "" {
		return nil, nil
	}
	if j.Jobs > 1 {
		return nil, UsageErrorf("--preview with --jobs %d: its page shows one picture at a time: leave one out", j.Jobs)
	}
	if screen != nil {
		return preview.OnTerminal(screen, preview.Settings{Options: j.Filter}), nil
	}
	address := string(j.Preview)
	if address == "on" {
		address = ""
	}
	stop, cancel := context.WithCancel(j.Stop)
	server, err := preview.Listen(address, preview.Settings{Token: j.PreviewToken, Options: j.Filter, SavePreset: j.SavePresetAs,
		Stop: func(photo bool) {
			if !photo || tasks > 1 { // one photo is done when it is stopped
				cancel()
			}
		}})
	if err != nil {
		cancel()
		return nil, UsageError{err}
	}
	j.Stop = stop
	server.Live.Change(func(o *filter.Orders) { o.Hold = j.Try })
	context.AfterFunc(stop, func() { // a frame that waits is finished
		server.Live.Change(func(o *filter.Orders) { o.Paused, o.Hold = false, false })
	})
	r.say("preview: " + server.URL())
	if j.OpenPage != nil {
		j.OpenPage(server.URL())
	}
	return server, nil
}

// notOnePhoto is the error of Job.Try with another input.
func notOnePhoto(in string) error {
	return UsageErrorf("%s is not one photo, which is what is tried: take a frame of a film by: ffmpeg -ss 10 -i FILM -frames:v 1 frame.png", in)
}

// openScreen returns the terminal that --preview=term asks for, or nil.
func (j *Job) openScreen() (*preview.Terminal, error) {
	graphics := preview.Graphics(j.Preview)
	switch graphics {
	case "term":
		if graphics = preview.Blocks; j.Getenv != nil {
			graphics = preview.GraphicsOf(j.Getenv)
		}
	case preview.Kitty, preview.Sixel, preview.Blocks:
	default:
		return nil, nil
	}
	switch {
	case !term.IsTerminal(int(j.Stderr.Fd())):
		return nil, UsageErrorf("--preview=%s: stderr is no terminal: --preview alone shows a page", j.Preview)
	case j.Quiet || j.Progress != "auto":
		return nil, UsageErrorf("--preview=%s says below the picture how far it is: leave --progress and --quiet out", j.Preview)
	}
	return preview.NewTerminal(j.Stderr, graphics, func() (s preview.Screen) {
		s.Columns, s.Rows, _ = term.GetSize(int(j.Stderr.Fd())) // one that is gone has no cells
		s.CellW, s.CellH = host.CellSize(j.Stderr)
		return s
	}), nil
}

// openReporter returns what --progress names, or what tells below the picture on a screen.
func (j *Job) openReporter(screen *preview.Terminal) reporter {
	if screen == nil {
		return newReporter(j.Progress, j.Quiet, j.DumbTerminal, j.Stderr)
	}
	return &screenReporter{plainReporter{w: screen, every: math.MaxInt64}, screen}
}

// screenReporter tells how far the job is in a line below the picture in a terminal.
type screenReporter struct {
	plainReporter
	screen *preview.Terminal
}

func (r *screenReporter) step(now filter.Progress) {
	r.plainReporter.step(now)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.screen.Status(r.progress.String())
}

// show makes the worker's painting seen on the page; s may be nil.
func (w *worker) show(s *preview.Server) {
	if s == nil {
		return
	}
	w.preview, w.filter.Live = s, s.Live
	s.SetStyles(w.own.styles)
}

// closePreview says on the page how the job has ended.
func closePreview(s *preview.Server, err error) error {
	text := "Done."
	switch {
	case errors.Is(err, ErrInterrupted):
		text = "Stopped. What was done is kept."
	case err != nil:
		text = fmt.Sprint("Failed: ", err)
	}
	return s.Close(text)
}

// previewReporter tells the preview's page, beside another reporter, how far the job is.
type previewReporter struct {
	reporter
	server *preview.Server

	mu       sync.Mutex
	progress inputProgress
}

func (p *previewReporter) begin(input string, frames, done int64) {
	p.reporter.begin(input, frames, done)
	p.mu.Lock()
	p.progress = inputProgress{input: input, frames: frames, done: done, before: done, start: time.Now()}
	p.mu.Unlock()
	p.server.Open(input, frames, done)
}

func (p *previewReporter) pass(t framePass) {
	p.reporter.pass(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.beginPass(t)
}

func (p *previewReporter) step(now filter.Progress) {
	p.reporter.step(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.step = now
	left, ok := p.progress.remaining()
	if !ok {
		left = -time.Second
	}
	p.server.Step(now, p.progress.pass.pass, p.progress.pass.passes, p.progress.share(), left)
}

func (p *previewReporter) frame(s *Stat) {
	p.reporter.frame(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.finishFrame()
	p.server.Written(p.progress.done, p.progress.share())
}
