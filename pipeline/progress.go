package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"nstfilter/filter"
)

// teller tells the user how the job goes. Its methods may be called by several
// goroutines.
type teller interface {
	begin(input string, frames int64) // frames = 0: not known
	turn(turn)                        // before the steps of a frame that is painted several times
	step(filter.Progress)
	frame(*Stat) // one is written
	say(text string)
	end() // of the input
	// another tells of inputs beside, in the same place. It is not closed.
	another() teller
	close()
}

// newTeller makes the teller that --progress names. auto is a bar on a terminal,
// else plain lines.
func newTeller(kind string, stderr *os.File) teller {
	if kind == "auto" {
		kind = "plain"
		if term.IsTerminal(int(stderr.Fd())) {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		return newBar(stderr)
	case "json":
		return &jsonLines{w: stderr}
	case "none":
		return silent{}
	}
	return &plain{w: stderr, every: 5 * time.Second}
}

type silent struct{}

func (silent) begin(string, int64)  {}
func (silent) turn(turn)            {}
func (silent) step(filter.Progress) {}
func (silent) frame(*Stat)          {}
func (silent) say(string)           {}
func (silent) end()                 {}
func (silent) another() teller      { return silent{} }
func (silent) close()               {}

// turn is which frame is painted, where several are before they are given out.
type turn struct {
	frame        int64   // from 0
	pass, passes int     // from 1; 0: the frame after those that are done is painted, once
	held         float64 // what is done on frames that are not given out, in frames
}

// course is how far an input has come.
type course struct {
	input  string
	frames int64 // 0: not known
	done   int64
	turn   turn
	now    filter.Progress
	start  time.Time
}

// share is the part of the input that is done, in [0,1]; of the frame at hand
// where their number is not known.
func (c *course) share() float64 {
	if c.frames == 0 {
		return c.now.Done
	}
	passes := max(1, c.turn.passes)
	return min(1, (float64(c.done)+c.turn.held+c.now.Done/float64(passes))/float64(c.frames))
}

// take notes that another frame is painted.
func (c *course) take(t turn) { c.turn, c.now.Done = t, 0 }

// written counts a frame.
func (c *course) written() {
	c.done++
	c.turn.held = max(0, c.turn.held-1)
	c.now.Done = 0
}

// at is the frame at hand, from 0.
func (c *course) at() int64 {
	if c.turn.passes > 0 {
		return c.turn.frame
	}
	return c.done
}

// left extrapolates the time so far; false while that says nothing.
func (c *course) left() (time.Duration, bool) {
	s := c.share()
	if c.frames == 0 || s < 0.01 {
		return 0, false
	}
	return time.Duration(float64(time.Since(c.start)) * (1 - s) / s), true
}

// String is the state in one line: clip.mkv: frame 3/48, scale 2/4, step 17/60,
// loss 0.0312, 4m10s left.
func (c *course) String() string {
	s := c.input + ":"
	if c.frames != 1 {
		s += fmt.Sprintf(" frame %d", c.at()+1)
		if c.frames > 0 {
			s = fmt.Sprintf("%s/%d", s, c.frames)
		}
		s += ","
	}
	if c.turn.passes > 0 {
		s += fmt.Sprintf(" pass %d/%d,", c.turn.pass, c.turn.passes)
	}
	p := &c.now
	s += fmt.Sprintf(" scale %d/%d, step %d/%d, loss %.4g", p.Scale, p.Scales, p.Iteration, p.Iterations, p.Losses.Total)
	if left, ok := c.left(); ok {
		s += ", " + brief(left) + " left"
	}
	return s
}

// brief rounds a duration to what a reader wants: 740ms, 12s, 3m10s, 2h5m.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
}

// summary is the line at the end of an input: clip.mkv: 48 frames in 3m10s. Empty
// if nothing was done.
func (c *course) summary() string {
	switch c.done {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s: done in %s", c.input, brief(time.Since(c.start)))
	}
	return fmt.Sprintf("%s: %d frames in %s", c.input, c.done, brief(time.Since(c.start)))
}

// plain writes a line now and then, and one at the end of each input.
type plain struct {
	w     io.Writer // takes whole lines from any goroutine, as a file does
	every time.Duration

	mu   sync.Mutex
	c    course
	last time.Time
}

func (p *plain) begin(input string, frames int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c = course{input: input, frames: frames, start: time.Now()}
	p.last = p.c.start
}

func (p *plain) turn(t turn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c.take(t)
}

func (p *plain) step(now filter.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c.now = now
	if time.Since(p.last) >= p.every {
		p.last = time.Now()
		fmt.Fprintln(p.w, "nstfilter:", p.c.String())
	}
}

func (p *plain) frame(*Stat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.c.written()
}

func (p *plain) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, "nstfilter:", text)
}

func (p *plain) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := p.c.summary(); text != "" {
		fmt.Fprintln(p.w, "nstfilter:", text)
	}
	p.c = course{}
}

func (p *plain) another() teller { return &plain{w: p.w, every: p.every} }
func (p *plain) close()          {}

// jsonLines writes one object a line, for programs:
//
//	{"event":"begin","input":"clip.mkv","frames":48}
//	{"event":"step","input":"clip.mkv","frame":2,"scale":1,…,"losses":{…},"seconds_left":250.1}
//	{"event":"frame","stat":{…}}
//	{"event":"message","text":"…"}
type jsonLines struct {
	w io.Writer // takes whole lines from any goroutine, as a file does

	mu sync.Mutex
	c  course
}

func (j *jsonLines) put(v any) {
	line, err := json.Marshal(v)
	if err != nil { // a loss that is no number
		line, _ = json.Marshal(map[string]string{"event": "message", "text": err.Error()})
	}
	j.w.Write(append(line, '\n'))
}

func (j *jsonLines) begin(input string, frames int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.c = course{input: input, frames: frames, start: time.Now()}
	j.put(struct {
		Event  string `json:"event"`
		Input  string `json:"input"`
		Frames int64  `json:"frames,omitempty"`
	}{"begin", input, frames})
}

func (j *jsonLines) turn(t turn) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.c.take(t)
}

func (j *jsonLines) step(p filter.Progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.c.now = p
	left, _ := j.c.left()
	j.put(struct {
		Event      string        `json:"event"`
		Input      string        `json:"input"`
		Frame      int64         `json:"frame"`
		Pass       int           `json:"pass,omitempty"`
		Passes     int           `json:"passes,omitempty"`
		Scale      int           `json:"scale"`
		Scales     int           `json:"scales"`
		Width      int           `json:"width"`
		Height     int           `json:"height"`
		Iteration  int           `json:"iteration"`
		Iterations int           `json:"iterations"`
		Done       float64       `json:"done"`
		Losses     filter.Losses `json:"losses"`
		Left       float64       `json:"seconds_left,omitempty"`
	}{"step", j.c.input, j.c.at(), j.c.turn.pass, j.c.turn.passes, p.Scale, p.Scales, p.W, p.H, p.Iteration, p.Iterations, j.c.share(), p.Losses, left.Seconds()})
}

func (j *jsonLines) frame(s *Stat) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.c.written()
	j.put(struct {
		Event string `json:"event"`
		Stat  *Stat  `json:"stat"`
	}{"frame", s})
}

func (j *jsonLines) say(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.put(map[string]string{"event": "message", "text": text})
}

func (j *jsonLines) end()            {}
func (j *jsonLines) another() teller { return &jsonLines{w: j.w} }
func (j *jsonLines) close()          {}
