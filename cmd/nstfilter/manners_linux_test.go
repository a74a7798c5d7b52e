package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nstfilter/filter"
	"nstfilter/pipeline/host"
	"nstfilter/video"
)

// The manners of a stage among other processes: what testdata's scripts cannot say.

// patience is how long a process may take on a busy machine.
const patience = time.Minute

// program is nstfilter with a style and no iterations, unless args say otherwise.
// stderr goes to the buffer.
func program(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	c := exec.Command("nstfilter", append([]string{"--style", aStyle(t), "--iterations", "0", "--progress", "none"}, args...)...)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	return c, &stderr
}

func aStyle(t *testing.T) string {
	t.Helper()
	style, err := filepath.Abs("../../examples/styles/night.jpg")
	if err != nil {
		t.Fatal(err)
	}
	return style
}

// y4m is frame i of a film of w×h gray ones, the header before the first.
func y4m(w, h, i int) []byte {
	var b []byte
	if i == 0 {
		b = fmt.Appendf(b, "YUV4MPEG2 W%d H%d F25:1 Cmono\n", w, h)
	}
	return append(append(b, "FRAME\n"...), bytes.Repeat([]byte{byte(i)}, w*h)...)
}

// started starts c between pipes, and kills it should it outlast patience.
func started(t *testing.T, c *exec.Cmd) (in io.WriteCloser, out io.ReadCloser) {
	t.Helper()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = c.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { c.Process.Kill() })
	t.Cleanup(func() { late.Stop() })
	return in, out
}

// nstfilter … | head -c 1000
func TestReaderStops(t *testing.T) {
	for _, args := range [][]string{nil, {"--iterations", "1", "--iterations-per-frame", "1"}} {
		c, stderr := program(t, args...)
		in, out := started(t, c)
		go func() {
			for i := 0; ; i++ { // more than pipes hold
				if _, err := in.Write(y4m(64, 64, i)); err != nil {
					return
				}
			}
		}()
		if _, err := io.ReadFull(out, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		out.Close()
		c.Wait()
		if status := c.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGPIPE {
			t.Errorf("%q: ended by %v, not by SIGPIPE", args, c.ProcessState)
		}
		if args == nil && stderr.Len() > 0 {
			t.Errorf("it is not silent: %s", stderr)
		}
		in.Close()
	}
}

// What has come whole goes on while the writer stalls; the rest of a frame that
// never comes is an error, or is dropped when the program is interrupted.
func TestWriterStalls(t *testing.T) {
	for _, interrupted := range []bool{false, true} {
		c, stderr := program(t)
		in, out := started(t, c)
		whole := slices.Concat(y4m(32, 32, 0), y4m(32, 32, 1))
		in.Write(slices.Concat(whole, y4m(32, 32, 2)[:500]))
		got := make([]byte, len(whole))
		if _, err := io.ReadFull(out, got); err != nil || !bytes.Equal(got, whole) {
			t.Fatalf("two frames while the third stalls: %v", err)
		}
		want, says := exitFailed, "frame 2: input ends"
		if interrupted {
			want, says = exitInterrupted, "interrupted"
			c.Process.Signal(os.Interrupt)
		} else {
			in.Close()
		}
		if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
			t.Errorf("%d bytes after the whole frames, %v", len(rest), err)
		}
		c.Wait()
		if code := c.ProcessState.ExitCode(); code != want || !strings.Contains(stderr.String(), says) {
			t.Errorf("exit code %d, want %d; stderr %q, want %q", code, want, stderr, says)
		}
	}
}

// An interrupt at the terminal reaches everyone in the pipe. The encoder must come
// to read an end, and no one may stay behind.
func TestGroupIsInterrupted(t *testing.T) {
	needFFmpeg(t)
	dir := t.TempDir()
	c := exec.Command("sh", "-c", `ffmpeg -v error -nostdin -re -f lavfi -i testsrc2=s=64x48:r=25 -f yuv4mpegpipe - |
		nstfilter --style "$STYLE" --iterations 2 --iterations-per-frame 1 --stats stats.json |
		ffmpeg -v error -i - out.mkv`)
	c.Dir = dir
	c.Env = append(os.Environ(), "STYLE="+aStyle(t))
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	group := -c.Process.Pid
	defer syscall.Kill(group, syscall.SIGKILL)
	within(t, "3 frames, and an encoder that has begun", func() bool {
		_, err := os.Stat(filepath.Join(dir, "out.mkv"))
		return err == nil && countLines(filepath.Join(dir, "stats.json")) >= 3
	})
	syscall.Kill(group, syscall.SIGINT)
	within(t, "the end of all", func() bool {
		var status syscall.WaitStatus
		syscall.Wait4(c.Process.Pid, &status, syscall.WNOHANG, nil) // else the shell stays a zombie of the group
		return errors.Is(syscall.Kill(group, 0), syscall.ESRCH)
	})
	if frames := countFrames(t, filepath.Join(dir, "out.mkv")); frames < 1 {
		t.Errorf("%d frames in the result", frames)
	}
}

// Ten hours are not waited for: memory must not grow over 18000 frames.
func TestLongStreamTakesNoMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("many frames")
	}
	const frames, early = 20000, 2000
	layout := video.Layout{W: 16, H: 16, Format: video.PixelFormat{Sampling: video.S420, Depth: 8}}
	for _, format := range []string{"y4m", "nut"} {
		t.Run(format, func(t *testing.T) {
			c, stderr := program(t, "--stats", filepath.Join(t.TempDir(), "stats.json"))
			in, out := started(t, c)
			var write func(*filter.Frame) error
			h := video.NUTHeader{Layout: layout, TimeBase: filter.Rational{Num: 1, Den: 25}}
			if format == "nut" {
				write = video.NewNUTWriter(in, h).WriteFrame
			} else {
				write = video.NewY4MWriter(in, video.Y4MHeader{Layout: layout, Rate: filter.Rational{Num: 25, Den: 1}}).WriteFrame
			}
			type copied struct {
				bytes int64
				err   error
			}
			read := make(chan copied, 1)
			go func() {
				n, err := io.Copy(io.Discard, out)
				read <- copied{n, err}
			}()
			var before, after int
			f := filter.NewFrame(16, 16)
			f.TimeBase = h.TimeBase
			for i := range frames {
				f.Index, f.PTS = i, int64(i)
				if err := write(f); err != nil {
					t.Fatalf("frame %d: %v %s", i, err, stderr)
				}
				switch i {
				case early:
					before = resident(t, c.Process.Pid)
				case frames - 1:
					after = resident(t, c.Process.Pid)
				}
			}
			in.Close()
			got := <-read
			c.Wait()
			if code := c.ProcessState.ExitCode(); code != 0 || got.err != nil || got.bytes < frames*layout.Format.FrameBytes(16, 16) {
				t.Errorf("exit code %d, %d bytes, %v: %s", code, got.bytes, got.err, stderr)
			}
			t.Logf("resident: %d kB after %d frames, %d kB after %d", before, early, after, frames)
			if after > before+8<<10 {
				t.Errorf("%d kB after %d frames, %d kB after %d", before, early, after, frames)
			}
		})
	}
}

// resident is a process's memory in kB.
func resident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(after)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func within(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !happened(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%v pass without %s", patience, what)
		}
	}
}

func countLines(file string) int {
	text, _ := os.ReadFile(file)
	return bytes.Count(text, []byte("\n"))
}

func countFrames(t *testing.T, film string) int {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", film).CombinedOutput()
	n, bad := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || bad != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return n
}

func needFFmpeg(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("needs ffmpeg")
	}
}

// A closed terminal hangs up: what is whole is kept, as after an interrupt.
func TestHangup(t *testing.T) {
	c, stderr := program(t)
	in, out := started(t, c)
	whole := y4m(32, 32, 0)
	in.Write(whole)
	if _, err := io.ReadFull(out, make([]byte, len(whole))); err != nil {
		t.Fatal(err)
	}
	c.Process.Signal(syscall.SIGHUP)
	c.Wait()
	if code := c.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// nstfilter … 2>&1 | head -1
func TestReaderOfStderrStops(t *testing.T) {
	for _, progress := range []string{"plain", "bar", "json"} {
		out := filepath.Join(t.TempDir(), "o.png")
		c := exec.Command("nstfilter", "--style", aStyle(t), "--size", "32", "--iterations", "3", "--verbose", "--progress", progress, aStyle(t), out)
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		c.Stderr = write
		err = c.Run()
		write.Close()
		if err != nil {
			t.Errorf("--progress %s: %v", progress, err)
		}
		if _, err := os.Stat(out); err != nil {
			t.Error(err)
		}
	}
}

// Whatever the program waits for, the second signal ends it, and its children too.
func TestSecondSignalEnds(t *testing.T) {
	dir := t.TempDir()
	fifo, film, hung := filepath.Join(dir, "in.png"), filepath.Join(dir, "in.mkv"), filepath.Join(dir, "hung")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(film, []byte("film"), 0o600); err != nil {
		t.Fatal(err)
	}
	ffprobe := "#!/bin/sh\ntrap '' TERM INT HUP\necho $$ >" + hung + ".new\nmv " + hung + ".new " + hung + "\nwhile :; do read x <" + fifo + "2; done\n"
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "ffprobe"), []byte(ffprobe), 0o700), syscall.Mkfifo(fifo+"2", 0o600)); err != nil {
		t.Fatal(err)
	}
	var writer *os.File
	for in, waits := range map[string]func() bool{
		fifo: func() (ok bool) { // a FIFO is opened without waiting once it has a reader
			f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			writer = f
			return err == nil
		},
		film: func() bool { _, err := os.Stat(hung); return err == nil },
	} {
		c, stderr := program(t, in, filepath.Join(dir, "o"+filepath.Ext(in)))
		c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		started(t, c)
		for end := time.Now().Add(patience); !waits(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it does not read %s: %s", in, stderr)
			}
		}
		c.Process.Signal(os.Interrupt)
		c.Process.Signal(syscall.SIGTERM)
		c.Wait()
		if code := c.ProcessState.ExitCode(); code != exitInterrupted {
			t.Errorf("%s: exit code %d, stderr %q", in, code, stderr)
		}
	}
	writer.Close()
	text, err := os.ReadFile(hung)
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(patience); alive(child); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("ffprobe is left")
		}
	}
}

// nstfilter … >&-
func TestStdoutIsClosed(t *testing.T) {
	c := exec.Command("sh", "-c", `nstfilter --style "$0" --iterations 0 >&-`, aStyle(t))
	c.Stdin = bytes.NewReader(y4m(32, 32, 0))
	if text, err := c.CombinedOutput(); !host.CanTellStdout {
		t.Skip("a build without cgo cannot tell")
	} else if err == nil || !strings.Contains(string(text), "stdout is closed") {
		t.Errorf("%v, it says %q", err, text)
	}
}
