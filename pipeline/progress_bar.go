package pipeline

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"nstfilter/filter"
)

// barReporter draws a bar on a terminal.
type barReporter struct {
	container *mpb.Progress

	mu       sync.Mutex
	progress inputProgress
	line     *mpb.Bar // of the current input, or nil
}

const barSteps = 1000

func newBar(w io.Writer) *barReporter {
	return &barReporter{container: mpb.New(mpb.WithOutput(w), mpb.WithWidth(32), mpb.WithAutoRefresh())}
}

func (b *barReporter) begin(input string, frames int64) {
	b.mu.Lock()
	b.progress = inputProgress{input: input, frames: frames, start: time.Now()}
	b.mu.Unlock()
	text := decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return " " + b.progress.String()
	})
	b.line = b.container.New(barSteps, mpb.BarStyle(), mpb.AppendDecorators(text))
}

func (b *barReporter) pass(t framePass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.beginPass(t)
}

func (b *barReporter) step(p filter.Progress) {
	b.mu.Lock()
	b.progress.step = p
	share := b.progress.share()
	b.mu.Unlock()
	if b.line != nil {
		b.line.SetCurrent(min(barSteps-1, int64(share*barSteps))) // the last step would end the bar
	}
}

func (b *barReporter) frame(*Stat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.finishFrame()
}

func (b *barReporter) say(text string) { fmt.Fprintln(b.container, "nstfilter:", text) }

// end replaces the bar by a line.
func (b *barReporter) end() {
	if b.line == nil {
		return
	}
	b.line.Abort(true)
	b.line.Wait()
	b.line = nil
	b.mu.Lock()
	text := b.progress.summary()
	b.mu.Unlock()
	if text != "" {
		b.say(text)
	}
}

func (b *barReporter) sibling() reporter { return &barReporter{container: b.container} }

func (b *barReporter) close() { b.container.Wait() }
