package video

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	ff "github.com/u2takey/ffmpeg-go"
)

const ffmpegRemedy = "install ffmpeg: apt-get install ffmpeg, brew install ffmpeg, or https://ffmpeg.org/download.html"

// stopGrace is how long a process may take to end after it was asked to.
const stopGrace = 3 * time.Second

// process is one ffmpeg in a process group of its own, with one pipe to it or from
// it.
type process struct {
	pipe   *os.File // our end
	cancel context.CancelFunc
	stderr tail
	done   chan struct{}
	err    error // of the process, once done
}

// start runs s until parent is cancelled. encode: the pipe is its stdin, else its
// stdout.
func start(parent context.Context, s *ff.Stream, encode bool) (*process, error) {
	p := &process{done: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	ctx, cancel := context.WithCancel(parent)
	p.cancel = cancel
	s.Context = ctx // last: GlobalArgs drops it
	cmd := compile(s)
	cmd.Stderr = &p.stderr
	cmd.WaitDelay = stopGrace
	detach(cmd)
	theirs := write
	p.pipe = read
	if encode {
		p.pipe, theirs = write, read
		cmd.Stdin = theirs
	} else {
		cmd.Stdout = theirs
	}
	started := make(chan error)
	go func() {
		// A process dies with the thread that started it (Pdeathsig), so that thread waits.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		theirs.Close()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.done)
	}()
	if err := <-started; err != nil {
		p.stop()
		if parent.Err() != nil {
			return nil, parent.Err()
		}
		return nil, fmt.Errorf("ffmpeg: %w; %s", err, ffmpegRemedy)
	}
	return p, nil
}

var quietFFmpeg sync.Once

// compile makes the command, which ffmpeg-go would also print.
func compile(s *ff.Stream) *exec.Cmd {
	quietFFmpeg.Do(func() { ff.LogCompiledCommand = false })
	return s.Compile()
}

// stop ends the process at once: first its pipe, then SIGTERM, then SIGKILL.
func (p *process) stop() {
	p.pipe.Close()
	p.cancel()
	<-p.done
}

// finish closes the pipe and waits for the process to end by itself.
func (p *process) finish() error {
	p.pipe.Close()
	<-p.done
	p.cancel()
	return p.failure()
}

// writeErrors are the words of an ffmpeg that could not write its file to the end
// (a full disk), after which it exits 0 all the same (5.1.9).
var writeErrors = []string{"Error writing trailer", "Error closing file"}

// failure is why the process, which has ended, failed, with its last words.
func (p *process) failure() error {
	words := p.stderr.String()
	if p.err == nil {
		for _, u := range writeErrors {
			if strings.Contains(words, u) {
				return fmt.Errorf("ffmpeg: %s", words)
			}
		}
		return nil
	}
	if words != "" {
		return fmt.Errorf("ffmpeg: %s (%w)", words, p.err)
	}
	if strings.Contains(p.err.Error(), "signal: killed") {
		return fmt.Errorf("ffmpeg was killed, by someone or for want of memory (%w)", p.err)
	}
	return fmt.Errorf("ffmpeg: %w", p.err)
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if extra := len(t.b) - 8192; extra > 0 {
		t.b = append(t.b[:0], t.b[extra:]...)
	}
	return len(p), nil
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.FieldsFunc(string(t.b), func(r rune) bool { return r == '\n' || r == '\r' })
}

// address is what ffmpeg puts behind a decoder's name.
var address = regexp.MustCompile(` @ 0x[0-9a-f]+`)

// String is the last five lines, joined.
func (t *tail) String() string {
	lines := t.lines()
	return address.ReplaceAllString(strings.Join(lines[max(0, len(lines)-5):], "; "), "")
}

// findFFmpeg looks for both programs.
func findFFmpeg() error {
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not installed, and film needs it; %s", name, ffmpegRemedy)
		}
	}
	return nil
}

// hasHWAccel reports an ffmpeg that cannot decode on devices of this name.
func hasHWAccel(ctx context.Context, name string) error {
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-hwaccels").Output()
	if err != nil {
		return errors.Join(fmt.Errorf("ffmpeg -hwaccels: %w; %s", err, ffmpegRemedy), ctx.Err())
	}
	_, list, _ := strings.Cut(string(out), "\n") // its first line is a title
	known := strings.Fields(list)
	if name != "auto" && !slices.Contains(known, name) {
		return fmt.Errorf("--hwaccel %s: this ffmpeg has auto, %s", name, strings.Join(known, ", "))
	}
	return nil
}

// keepTimeBase is the value of -enc_time_base that keeps the source's: -1, which
// ffmpeg 6.1 renamed.
func keepTimeBase(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "ffmpeg", "-version").Output()
	if err != nil {
		return "", errors.Join(fmt.Errorf("ffmpeg -version: %w; %s", err, ffmpegRemedy), ctx.Err())
	}
	if olderThan61(string(out)) {
		return "-1", nil
	}
	return "demux", nil
}

// olderThan61 reads the first line of ffmpeg -version. A version that is not a
// number is a build from a recent tree.
func olderThan61(text string) bool {
	words := strings.Fields(text)
	if len(words) < 3 {
		return false
	}
	version := strings.TrimPrefix(words[2], "n")
	major, rest, _ := strings.Cut(version, ".")
	if i := strings.IndexAny(rest, ".-+~"); i >= 0 {
		rest = rest[:i]
	}
	a, err := strconv.Atoi(major)
	if err != nil || a > 1000 {
		return false
	}
	b, _ := strconv.Atoi(rest)
	return a < 6 || a == 6 && b < 1
}
