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
	refresh   chan any      // draws, and writes the lines said since
	shut      chan struct{} // closed by close
	drawn     chan any      // closed once the container draws no more

	mu       sync.Mutex
	progress inputProgress
	line     *mpb.Bar // of the current input, or nil
}

const barSteps = 1000

// newBar draws by its own clock: mpb's stops without the lines that were said since it
// last drew.
func newBar(w io.Writer) *barReporter {
	b := &barReporter{refresh: make(chan any), shut: make(chan struct{}), drawn: make(chan any)}
	b.container = mpb.New(mpb.WithOutput(w), mpb.WithWidth(32), mpb.WithManualRefresh(b.refresh), mpb.WithShutdownNotifier(b.drawn))
	go func() {
		tick := time.NewTicker(150 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				b.draw()
			case <-b.shut:
				return
			}
		}
	}()
	return b
}

// draw returns once the container draws. A terminal that is gone ends the container.
func (b *barReporter) draw() {
	select {
	case b.refresh <- nil:
	case <-b.drawn:
	}
}

func (b *barReporter) begin(input string, frames, done int64) {
	b.mu.Lock()
	b.progress.begin(input, frames, done)
	b.mu.Unlock()
	text := decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return " " + b.progress.String()
	})
	b.line, _ = b.container.Add(barSteps, mpb.BarStyle().Build(), mpb.AppendDecorators(text)) // nil if the terminal is gone
}

func (b *barReporter) forecast(first, later float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.forecast(first, later)
}

func (b *barReporter) pass(t framePass) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.beginPass(t)
}

func (b *barReporter) step(p filter.Progress) {
	b.advance(func() { b.progress.takeStep(p) })
}

func (b *barReporter) frame(*Stat) { b.advance(b.progress.finishFrame) }

// advance changes the progress.
func (b *barReporter) advance(change func()) {
	b.mu.Lock()
	change()
	share := b.progress.share()
	b.mu.Unlock()
	if b.line != nil {
		b.line.SetCurrent(min(barSteps-1, int64(share*barSteps))) // the last step would end the bar
	}
}

func (b *barReporter) say(text string) { fmt.Fprintln(b.container, "nstfilter:", text) }

// end removes the bar, and writes a line in its place if said.
func (b *barReporter) end(said bool) {
	if b.line == nil {
		return
	}
	b.line.Abort(true)
	b.line.Wait()
	b.line = nil
	b.mu.Lock()
	text := b.progress.summary()
	b.mu.Unlock()
	if said && text != "" {
		b.say(text)
	}
}

func (b *barReporter) sibling() reporter { return &barReporter{container: b.container} }

func (b *barReporter) close() {
	close(b.shut)
	b.draw()
	b.container.Wait()
}
