package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"nstfilter/filter"
)

// reporter tells the user how far the job is. Several goroutines may call its methods.
type reporter interface {
	begin(input string, frames, done int64) // frames is 0 if it is not known; an earlier run has done some
	forecast(first, later float64)          // the plan's seconds for a pass over the first frame, and over each later one
	pass(framePass)                         // before the steps of each pass over a frame
	step(filter.Progress)
	frame(*Stat) // a frame is written
	say(text string)
	end(said bool) // of the input; if said, how long it took is said
	// sibling returns a reporter for inputs that are painted at the same time. It writes to
	// the same place, and must not be closed.
	sibling() reporter
	close()
}

// newReporter makes the reporter that --progress names, or one that says nothing if quiet.
// auto is a bar if stderr is a terminal that is not dumb, and plain lines if not. Nothing is
// coloured anywhere.
func newReporter(kind string, quiet, dumb bool, stderr *os.File) reporter {
	if quiet {
		return silentReporter{}
	}
	if kind == "auto" {
		kind = "plain"
		if !dumb && term.IsTerminal(int(stderr.Fd())) {
			kind = "bar"
		}
	}
	switch kind {
	case "bar":
		return newBar(stderr)
	case "json":
		return &jsonReporter{w: stderr}
	case "none":
		return noteReporter{w: stderr}
	}
	return &plainReporter{w: stderr, every: 5 * time.Second}
}

type silentReporter struct{}

func (silentReporter) begin(string, int64, int64)    {}
func (silentReporter) forecast(first, later float64) {}
func (silentReporter) pass(framePass)                {}
func (silentReporter) step(filter.Progress)          {}
func (silentReporter) frame(*Stat)                   {}
func (silentReporter) say(string)                    {}
func (silentReporter) end(bool)                      {}
func (silentReporter) sibling() reporter             { return silentReporter{} }
func (silentReporter) close()                        {}

// noteReporter tells what is said, and no progress.
type noteReporter struct {
	silentReporter
	w io.Writer // takes whole lines from several goroutines, as a file does
}

func (n noteReporter) say(text string)   { fmt.Fprintln(n.w, "nstfilter:", text) }
func (n noteReporter) sibling() reporter { return n }

// framePass says which frame is painted, if frames are painted several times.
type framePass struct {
	frame        int64   // from 0
	pass, passes int     // from 1; 0 if each frame is painted once, in order
	waiting      float64 // how much is done on frames that are not written yet, in frames
}

// inputProgress is how far an input is.
type inputProgress struct {
	input  string
	frames int64 // 0 if it is not known
	done   int64 // frames written
	before int64 // of these, how many by an earlier run
	pass   framePass
	step   filter.Progress
	start  time.Time
	speed  speed
}

// share returns how much of the input is done, in [0,1], or of the current frame if the
// number of frames is not known.
func (c *inputProgress) share() float64 {
	if c.frames == 0 {
		return c.step.Done
	}
	passes := max(1, c.pass.passes)
	return min(1, (float64(c.done)+c.pass.waiting+c.step.Done/float64(passes))/float64(c.frames))
}

// beginPass begins a pass over a frame.
func (c *inputProgress) beginPass(t framePass) {
	c.pass, c.step.Done = t, 0
	c.note()
}

// takeStep takes up a step of the current frame.
func (c *inputProgress) takeStep(p filter.Progress) {
	c.step = p
	c.note()
}

// finishFrame counts a frame that is written.
func (c *inputProgress) finishFrame() {
	c.done++
	c.pass.waiting = max(0, c.pass.waiting-1)
	c.step.Done = 0
	c.note()
}

// paintings returns how many passes over frames this run has done.
func (c *inputProgress) paintings() float64 {
	return (c.share()*float64(c.frames) - float64(c.before)) * float64(max(1, c.pass.passes))
}

// note lets the speed know how much is done.
func (c *inputProgress) note() {
	if c.frames > 0 {
		c.speed.note(c.paintings())
	}
}

// begin begins an input of so many frames, 0 if that is not known.
func (c *inputProgress) begin(input string, frames, done int64) {
	*c = inputProgress{input: input, frames: frames, done: done, before: done, start: time.Now()}
}

// forecast takes up what the plan says.
func (c *inputProgress) forecast(first, later float64) {
	if c.before > 0 {
		first = later // it goes on from a result
	}
	c.speed = speed{first: first, later: later, start: time.Now()}
}

// frame returns the current frame's number, from 0.
func (c *inputProgress) frame() int64 {
	if c.pass.passes > 0 {
		return c.pass.frame
	}
	return c.done
}

// remaining estimates the time that is left, by the plan and the measured speed, or extrapolates
// the time so far if there is no plan. It returns false while too little is known.
func (c *inputProgress) remaining() (time.Duration, bool) {
	if c.frames == 0 {
		return 0, false
	}
	if c.speed.first > 0 {
		all := float64(c.frames-c.before) * float64(max(1, c.pass.passes))
		return secondsToDuration(c.speed.left(all)), true
	}
	before := float64(c.before) / float64(c.frames)
	s := (c.share() - before) / (1 - before)
	if !(s >= 0.01) {
		return 0, false
	}
	return time.Duration(float64(time.Since(c.start)) * (1 - s) / s), true
}

// String returns one line: clip.mkv: frame 3/48, scale 2/4, step 17/60, loss 0.0312,
// 4m10s left. Frames that are not painted have no steps.
func (c *inputProgress) String() string {
	s := c.input + ":"
	if c.frames != 1 {
		s += fmt.Sprintf(" frame %d", c.frame()+1)
		if c.frames > 0 {
			s = fmt.Sprintf("%s/%d", s, c.frames)
		}
		s += ","
	}
	if c.pass.passes > 0 {
		s += fmt.Sprintf(" pass %d/%d,", c.pass.pass, c.pass.passes)
	}
	if p := &c.step; p.Scales > 0 {
		s += fmt.Sprintf(" scale %d/%d, step %d/%d, loss %.4g,", p.Scale, p.Scales, p.Iteration, p.Iterations, p.Losses.Total)
	}
	s = strings.TrimSuffix(s, ",")
	if left, ok := c.remaining(); ok {
		s += ", " + briefDuration(left) + " left"
	}
	return s
}

// briefDuration rounds a duration for a reader: 740ms, 12s, 3m10s, 2h5m.
func briefDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
}

// summary returns the line at the end of an input: clip.mkv: 48 frames in 3m10s. It returns
// "" if no frame was written.
func (c *inputProgress) summary() string {
	switch c.done {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("%s: done in %s", c.input, briefDuration(time.Since(c.start)))
	}
	return fmt.Sprintf("%s: %d frames in %s", c.input, c.done, briefDuration(time.Since(c.start)))
}

// plainReporter writes a line every few seconds, and one at the end of each input.
type plainReporter struct {
	w     io.Writer // takes whole lines from several goroutines, as a file does
	every time.Duration

	mu       sync.Mutex
	progress inputProgress
	last     time.Time
}

func (p *plainReporter) begin(input string, frames, done int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.begin(input, frames, done)
	p.last = p.progress.start
}

func (p *plainReporter) forecast(first, later float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.forecast(first, later)
}

func (p *plainReporter) pass(t framePass) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.beginPass(t)
}

func (p *plainReporter) step(now filter.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.takeStep(now)
	p.tell()
}

func (p *plainReporter) frame(*Stat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.progress.finishFrame()
	if p.progress.step.Scales == 0 { // there are no steps
		p.tell()
	}
}

// tell writes a line if the last one is a while ago.
func (p *plainReporter) tell() {
	if time.Since(p.last) >= p.every {
		p.last = time.Now()
		fmt.Fprintln(p.w, "nstfilter:", p.progress.String())
	}
}

func (p *plainReporter) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, "nstfilter:", text)
}

func (p *plainReporter) end(said bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := p.progress.summary(); said && text != "" {
		fmt.Fprintln(p.w, "nstfilter:", text)
	}
	p.progress = inputProgress{}
}

func (p *plainReporter) sibling() reporter { return &plainReporter{w: p.w, every: p.every} }
func (p *plainReporter) close()            {}

// jsonReporter writes one JSON object a line, for programs:
//
//	{"event":"begin","input":"clip.mkv","frames":48} (and "done", if an earlier run painted some)
//	{"event":"step","input":"clip.mkv","frame":2,"scale":1,…,"losses":{…},"seconds_left":250.1}
//	{"event":"frame","stat":{…}}
//	{"event":"message","text":"…"}
type jsonReporter struct {
	w io.Writer // takes whole lines from several goroutines, as a file does

	mu       sync.Mutex
	progress inputProgress
}

func (j *jsonReporter) put(v any) {
	line, err := json.Marshal(v)
	if err != nil { // for a loss that is not a number
		line, _ = json.Marshal(map[string]string{"event": "message", "text": err.Error()})
	}
	j.w.Write(append(line, '\n'))
}

func (j *jsonReporter) begin(input string, frames, done int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress.begin(input, frames, done)
	j.put(struct {
		Event  string `json:"event"`
		Input  string `json:"input"`
		Frames int64  `json:"frames,omitempty"`
		Done   int64  `json:"done,omitempty"`
	}{"begin", input, frames, done})
}

func (j *jsonReporter) forecast(first, later float64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress.forecast(first, later)
}

func (j *jsonReporter) pass(t framePass) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress.beginPass(t)
}

func (j *jsonReporter) step(p filter.Progress) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress.takeStep(p)
	left, _ := j.progress.remaining()
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
	}{"step", j.progress.input, j.progress.frame(), j.progress.pass.pass, j.progress.pass.passes, p.Scale, p.Scales, p.W, p.H, p.Iteration, p.Iterations, j.progress.share(), p.Losses, left.Seconds()})
}

func (j *jsonReporter) frame(s *Stat) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.progress.finishFrame()
	j.put(struct {
		Event string `json:"event"`
		Stat  *Stat  `json:"stat"`
	}{"frame", s})
}

func (j *jsonReporter) say(text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.put(map[string]string{"event": "message", "text": text})
}

func (j *jsonReporter) end(bool)          {}
func (j *jsonReporter) sibling() reporter { return &jsonReporter{w: j.w} }
func (j *jsonReporter) close()            {}
