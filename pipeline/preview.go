package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/preview"
)

// openPreview opens the page of --preview, before the process is confined, and says where it is.
// The job's Stop then ends it too. Without --preview the server is nil.
func (j *Job) openPreview(tasks int, r reporter) (*preview.Server, error) {
	if j.Preview == "" {
		return nil, nil
	}
	if j.Jobs > 1 {
		return nil, UsageErrorf("--preview with --jobs %d: its page shows one picture at a time: leave one out", j.Jobs)
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
