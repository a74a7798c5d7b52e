//go:build linux

// Command soak paints an endless stream for a long time, and fails if the program's memory
// or the number of its open files or threads grows.
//
//	go run ./bench/soak [-for 2h] [-size 96x64] [-program ./nstfilter]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"nstfilter/bench/run"
)

// What may grow from the first half to the second. Threads and files come and go: the most
// that were seen at once are compared.
const (
	memoryGrowth = 1.05
	moreFiles    = 0
	moreThreads  = 2 // the runtime starts one where a system call takes long
)

func main() {
	length := flag.Duration("for", 2*time.Hour, "how long")
	size := flag.String("size", "96x64", "of the frames")
	program := flag.String("program", "./nstfilter", "what paints")
	style := flag.String("style", "examples/styles/night.jpg", "what is painted like")
	flag.Parse()
	folder, err := os.MkdirTemp("", "soak-")
	if err == nil {
		defer os.RemoveAll(folder)
		err = soak(folder, *program, *style, *size, *length)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/soak:", err)
		os.Exit(1)
	}
}

// sample is what the program holds at a time.
type sample struct {
	at             time.Duration
	memory         int64 // KiB
	files, threads int
	frames         int64 // that have come out
}

func soak(folder, program, style, size string, length time.Duration) error {
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	if style, err = filepath.Abs(style); err != nil {
		return err
	}
	ffmpeg := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=r=25:s="+size, "-f", "yuv4mpegpipe", "-")
	stream, err := ffmpeg.StdoutPipe()
	if err != nil {
		return err
	}
	p := run.New(folder, program, "--style", style, "--iterations", "4", "--iterations-per-frame", "1", "--progress", "none")
	p.Stdin = stream
	out, err := p.StdoutPipe()
	if err != nil {
		return err
	}
	if err := ffmpeg.Start(); err != nil {
		return err
	}
	defer ffmpeg.Wait()
	defer ffmpeg.Process.Kill()
	if err := p.Start(); err != nil {
		return err
	}
	stream.Close() // the program has it
	var w, h int64
	fmt.Sscanf(size, "%dx%d", &w, &h)
	frames := &frameCounter{bytes: w*h*3/2 + int64(len("FRAME\n"))}
	copied := make(chan struct{})
	go func() {
		defer close(copied)
		io.Copy(frames, out)
	}()
	series, failure := watch(p, frames, length)
	ffmpeg.Process.Signal(syscall.SIGTERM) // it ends the stream behind a whole frame
	<-copied
	words := p.Wait()
	if failure == nil && !p.ProcessState.Success() {
		failure = fmt.Errorf("the program: %v: %s", p.ProcessState, words)
	}
	if failure != nil {
		return failure
	}
	if err := run.CheckLeft(folder, ".", func(name string) bool { return name == "tmp" }); err != nil {
		return err
	}
	return judge(series)
}
