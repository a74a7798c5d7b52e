package pipeline

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nstfilter/filter"
)

func TestPlainReporter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := &plainReporter{w: &out, every: 5 * time.Second}
		p.begin("clip.mkv", 4, 0)
		p.forecast(6, 6)
		step := filter.Progress{Scale: 2, Scales: 3, Iteration: 7, Iterations: 60, Losses: filter.Losses{Total: 0.25}}
		for i := range 4 {
			for share := range 2 {
				time.Sleep(3 * time.Second)
				step.Done = float64(share+1) / 2
				p.step(step)
			}
			p.frame(&Stat{Index: i})
		}
		p.end(true)
		// Steps come at 3, 6, … 24 s; a line no sooner than 5 s after the last.
		want := `nstfilter: clip.mkv: frame 1/4, scale 2/3, step 7/60, loss 0.25, 18s left
nstfilter: clip.mkv: frame 2/4, scale 2/3, step 7/60, loss 0.25, 12s left
nstfilter: clip.mkv: frame 3/4, scale 2/3, step 7/60, loss 0.25, 6s left
nstfilter: clip.mkv: frame 4/4, scale 2/3, step 7/60, loss 0.25, 0s left
nstfilter: clip.mkv: 4 frames in 24s
`
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
	})
}

// A bar's container draws by a clock. What is said last is written all the same.
func TestBarWritesTheLastLine(t *testing.T) {
	for i := range 20 {
		name := filepath.Join(t.TempDir(), "said.txt")
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		b := newBar(f)
		other := b.sibling()
		for _, r := range []reporter{b, other} {
			r.begin("a.png", 1, 0)
			r.frame(&Stat{})
			r.end(true)
		}
		for range 3 { // so that the container has nothing left to draw for the bars that ended
			b.draw()
		}
		other.say("that was all")
		b.close()
		f.Close()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if coloured := regexp.MustCompile(`\x1b\[[0-9;]*m`); coloured.Match(text) {
			t.Fatalf("run %d writes colours: %q", i, text)
		}
		if strings.Count(string(text), "a.png: done in ") != 2 || !strings.HasSuffix(string(text), "nstfilter: that was all\n") {
			t.Fatalf("run %d wrote\n%s", i, text)
		}
	}
}

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		744 * time.Millisecond:                         "740ms",
		12*time.Second + 300*time.Millisecond:          "12s",
		3*time.Minute + 10*time.Second:                 "3m10s",
		2*time.Hour + 5*time.Minute:                    "2h5m",
		30*time.Hour + 59*time.Minute + 40*time.Second: "31h0m",
	} {
		if got := briefDuration(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestOptionsValidate(t *testing.T) {
	o := DefaultOptions()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	for flag, change := range map[string]func(*Options){
		"--device":   func(o *Options) { o.Device = "abacus" },
		"--network":  func(o *Options) { o.Network = "vgg" },
		"--progress": func(o *Options) { o.Progress = "" },
		"--threads":  func(o *Options) { o.Threads = -1 },
		"--style":    func(o *Options) { o.Style = []string{"a.jpg", ""} },
	} {
		o := DefaultOptions()
		change(&o)
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), flag+" ") {
			t.Errorf("%s out of range: error %v", flag, err)
		}
	}
}
