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

// bar draws the input's share on a terminal.
type bar struct {
	container *mpb.Progress

	mu   sync.Mutex
	c    course
	line *mpb.Bar // of the input at hand; nil: none
}

const barSteps = 1000

func newBar(w io.Writer) *bar {
	return &bar{container: mpb.New(mpb.WithOutput(w), mpb.WithWidth(32), mpb.WithAutoRefresh())}
}

func (b *bar) begin(input string, frames int64) {
	b.mu.Lock()
	b.c = course{input: input, frames: frames, start: time.Now()}
	b.mu.Unlock()
	text := decor.Any(func(decor.Statistics) string {
		b.mu.Lock()
		defer b.mu.Unlock()
		return " " + b.c.String()
	})
	b.line = b.container.New(barSteps, mpb.BarStyle(), mpb.AppendDecorators(text))
}

func (b *bar) turn(t turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.c.take(t)
}

func (b *bar) step(p filter.Progress) {
	b.mu.Lock()
	b.c.now = p
	share := b.c.share()
	b.mu.Unlock()
	if b.line != nil {
		b.line.SetCurrent(min(barSteps-1, int64(share*barSteps))) // the last step is end's
	}
}

func (b *bar) frame(*Stat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.c.written()
}

func (b *bar) say(text string) { fmt.Fprintln(b.container, "nstfilter:", text) }

// end takes the bar away and leaves a line.
func (b *bar) end() {
	if b.line == nil {
		return
	}
	b.line.Abort(true)
	b.line.Wait()
	b.line = nil
	b.mu.Lock()
	text := b.c.summary()
	b.mu.Unlock()
	if text != "" {
		b.say(text)
	}
}

func (b *bar) another() teller { return &bar{container: b.container} }

func (b *bar) close() { b.container.Wait() }
