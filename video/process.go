package video

import (
	"bytes"
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
	"syscall"
	"time"

	ff "github.com/u2takey/ffmpeg-go"

	"nstfilter/filter/limits"
)

const ffmpegRemedy = "install ffmpeg: apt-get install ffmpeg (Debian, Ubuntu), dnf install ffmpeg-free (Fedora), brew install ffmpeg (macOS), or https://ffmpeg.org/download.html"

// stopGrace is how long a process may take to end after it was asked to.
const stopGrace = 3 * time.Second

// process is a running ffmpeg, in a process group of its own, with a pipe to it or from it.
type process struct {
	pipe   *os.File // our end
	cancel context.CancelFunc
	stderr tail
	done   chan struct{}
	err    error // of the process, once done
}

// start runs s until parent is cancelled. The pipe is its stdin if encode is true, else its
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
	err = launch(cmd, func(err error) {
		p.err = err
		close(p.done)
	})
	theirs.Close()
	if err != nil {
		close(p.done)
		p.stop()
		if parent.Err() != nil {
			return nil, parent.Err()
		}
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	return p, nil
}

// launch starts cmd, and calls ended once it has ended.
func launch(cmd *exec.Cmd, ended func(error)) error {
	started := make(chan error)
	go func() {
		// A process dies with the thread that started it (Pdeathsig), so that thread waits.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended(cmd.Wait())
		}
	}()
	return explainStart(<-started)
}

// explainStart says what to do if a program could not be started.
func explainStart(err error) error {
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%w; %s", err, ffmpegRemedy)
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.EAGAIN):
		return fmt.Errorf("%w: a limit of memory or processes is reached (ulimit -a shows them): raise it, or end other programs", err)
	}
	return err
}

// answerTime is how long a program may take to answer a question about itself or a file.
const answerTime = time.Minute

// ask returns what a program writes to stdout. It ends the program when ctx is cancelled and
// after answerTime. The error has what the program wrote to stderr.
func ask(ctx context.Context, name string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	cmd := exec.CommandContext(limited, name, args...)
	var stdout bytes.Buffer
	var stderr tail
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = stopGrace
	detach(cmd)
	ended := make(chan error, 1)
	err := launch(cmd, func(err error) { ended <- err })
	if err == nil {
		err = <-ended
	}
	words := stderr.String()
	switch {
	case err == nil:
		return stdout.String(), nil
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", fmt.Errorf("%s has not answered for %v: see that the disk of the file answers, and try again", name, answerTime)
	case words != "":
		return "", fmt.Errorf("%s: %s", name, words)
	}
	return "", fmt.Errorf("%s: %w", name, err)
}

var quietFFmpeg sync.Once

// compile makes the command, and keeps ffmpeg-go from printing it.
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

// writeErrors are what ffmpeg says if it cannot finish its file, for example on a full disk.
// ffmpeg 5.1.9 exits with 0 all the same.
var writeErrors = []string{"Error writing trailer", "Error closing file"}

// failure returns why the process failed, with the last lines it wrote, or nil if it did not
// fail. The process must have ended.
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

// tail keeps the end of what is written to it, which is ffmpeg's words. Of words that name
// their level (-v level+verbose) it keeps errors, and the sizes of the decoded picture.
type tail struct {
	mu    sync.Mutex
	b     []byte
	rest  []byte   // of a line that has not ended
	sizes []string // of the picture: 160×90, each once, in their order
}

// level is what ffmpeg puts before a message then.
var level = regexp.MustCompile(`\[(panic|fatal|error|warning|info|verbose|debug)\] `)

// pictureSize is in what a filter graph says when it begins, and begins anew.
var pictureSize = regexp.MustCompile(`^\[graph .* w:(\d+) h:(\d+) `)

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		end := bytes.IndexAny(t.rest, "\r\n")
		if end < 0 {
			break
		}
		t.add(string(t.rest[:end]))
		t.rest = t.rest[end+1:]
	}
	for _, b := range []*[]byte{&t.b, &t.rest} {
		if extra := len(*b) - 8192; extra > 0 {
			*b = append((*b)[:0], (*b)[extra:]...)
		}
	}
	return len(p), nil
}

// idle are lines that say nothing: the second is of NUT without an index, which is whole.
var idle = []string{"Last message repeated", "read_timestamp failed"}

// add keeps a line if it says what is wrong.
func (t *tail) add(line string) {
	if line = t.fault(line); line != "" {
		t.b = append(append(t.b, line...), '\n')
	}
}

// fault returns what a line says is wrong, or "". It notes the size of a picture that the
// line tells.
func (t *tail) fault(line string) string {
	if slices.ContainsFunc(idle, func(s string) bool { return strings.Contains(line, s) }) {
		return ""
	}
	if at := level.FindStringSubmatchIndex(line); at != nil {
		if name := line[at[2]:at[3]]; name != "panic" && name != "fatal" && name != "error" {
			if size := pictureSize.FindStringSubmatch(line); size != nil {
				if text := size[1] + "×" + size[2]; !slices.Contains(t.sizes, text) {
					t.sizes = append(t.sizes, text)
				}
			}
			return ""
		}
		line = line[:at[0]] + line[at[1]:]
	}
	return line
}

// pictureSizes are the sizes of pictures that lines have told, as 160×96.
func (t *tail) pictureSizes() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.sizes)
}

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.FieldsFunc(string(t.b)+t.fault(string(t.rest)), func(r rune) bool { return r == '\n' || r == '\r' })
}

// address is what ffmpeg puts behind a decoder's name.
var address = regexp.MustCompile(` @ 0x[0-9a-f]+`)

// String is the last five lines, joined.
func (t *tail) String() string {
	lines := slices.Compact(t.lines())
	return address.ReplaceAllString(strings.Join(lines[max(0, len(lines)-5):], "; "), "")
}

// findFFmpeg returns an error if ffmpeg or ffprobe is not installed.
func findFFmpeg() error {
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%s is not installed, and film needs it; %s", name, ffmpegRemedy)
		}
	}
	return nil
}

// hasHWAccel returns an error if ffmpeg cannot decode on devices of this name.
func hasHWAccel(ctx context.Context, name string) error {
	text, err := ask(ctx, "ffmpeg", "-v", "error", "-hwaccels")
	if err != nil {
		return err
	}
	_, list, _ := strings.Cut(text, "\n") // its first line is a title
	known := strings.Fields(list)
	if name != "auto" && !slices.Contains(known, name) {
		return fmt.Errorf("--hwaccel %s: this ffmpeg has auto, %s%s", name, strings.Join(known, ", "), limits.Hint(name, known))
	}
	return nil
}

// FFmpegVersion returns the version of the ffmpeg that film is read and written with, as
// it says it itself: 5.1.9-0+deb12u1. The error says what to do if there is none.
func FFmpegVersion(ctx context.Context) (string, error) {
	text, err := ask(ctx, "ffmpeg", "-version")
	if err != nil {
		return "", err
	}
	words := strings.Fields(text) // ffmpeg version 5.1.9 Copyright …
	if len(words) < 3 || words[1] != "version" {
		return "", fmt.Errorf("ffmpeg -version says %.60q, not its version: see that the ffmpeg in PATH is FFmpeg's", text)
	}
	return words[2], nil
}

// keepTimeBase returns the value of -enc_time_base that keeps the source's timebase. ffmpeg
// 6.1 renamed it from -1 to demux.
func keepTimeBase(ctx context.Context) (string, error) {
	version, err := FFmpegVersion(ctx)
	if err != nil {
		return "", err
	}
	if olderThan61(version) {
		return "-1", nil
	}
	return "demux", nil
}

// olderThan61 reports that ffmpeg's version is before 6.1. One that is no number is a build
// from a recent source tree.
func olderThan61(version string) bool {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "n"), ".")
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
