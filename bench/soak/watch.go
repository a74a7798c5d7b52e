//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"nstfilter/bench/run"
)

// watch samples what the program holds, about 200 times but at most once in a quarter of a second,
// and prints every tenth sample.
func watch(p *run.Program, frames *frameCounter, length time.Duration) (series []sample, err error) {
	fmt.Println("| minutes | MiB | files | threads | frames |\n|---|---|---|---|---|")
	every := min(max(length/200, 250*time.Millisecond), 10*time.Second)
	began := time.Now()
	for at := time.Duration(0); at < length; at = time.Since(began) {
		time.Sleep(every)
		s, err := take(p.Process.Pid)
		if err != nil {
			return nil, fmt.Errorf("the program has ended after %v: %w", at, err)
		}
		s.at, s.frames = time.Since(began), frames.count()
		if len(series)%10 == 0 {
			fmt.Printf("| %.2f | %.1f | %d | %d | %d |\n", s.at.Minutes(), float64(s.memory)/1024, s.files, s.threads, s.frames)
		}
		series = append(series, s)
	}
	return series, nil
}

// take looks into /proc, see proc(5).
func take(pid int) (s sample, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return s, err
	}
	for line := range bytes.Lines(status) {
		key, value, _ := strings.Cut(string(line), ":")
		switch key {
		case "VmRSS":
			fmt.Sscan(value, &s.memory)
		case "Threads":
			fmt.Sscan(value, &s.threads)
		}
	}
	if s.memory == 0 {
		return s, syscall.ESRCH // a zombie
	}
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	s.files = len(files)
	return s, err
}

// judge compares the halves of the series, without its first tenth, in which the program
// warms up.
func judge(series []sample) error {
	series = series[len(series)/10:]
	if len(series) < 4 {
		return fmt.Errorf("%d samples are too few: let it run for longer", len(series))
	}
	first, second := most(series[:len(series)/2]), most(series[len(series)/2:])
	fmt.Printf("at most, in the first half and the second: %.1f and %.1f MiB, %d and %d files, %d and %d threads\n",
		float64(first.memory)/1024, float64(second.memory)/1024, first.files, second.files, first.threads, second.threads)
	switch {
	case float64(second.memory) > memoryGrowth*float64(first.memory):
		return fmt.Errorf("memory grows from %d to %d KiB", first.memory, second.memory)
	case second.files > first.files+moreFiles:
		return fmt.Errorf("open files grow from %d to %d", first.files, second.files)
	case second.threads > first.threads+moreThreads:
		return fmt.Errorf("threads grow from %d to %d", first.threads, second.threads)
	case second.frames <= first.frames:
		return fmt.Errorf("no frame has come out since the first half")
	}
	return nil
}

func most(series []sample) (m sample) {
	for _, s := range series {
		m.memory, m.files = max(m.memory, s.memory), max(m.files, s.files)
		m.threads, m.frames = max(m.threads, s.threads), max(m.frames, s.frames)
	}
	return m
}

// frameCounter counts the frames of a y4m stream that is written to it.
type frameCounter struct {
	bytes   int64 // of a frame
	written atomic.Int64
}

func (c *frameCounter) Write(b []byte) (int, error) {
	c.written.Add(int64(len(b)))
	return len(b), nil
}

func (c *frameCounter) count() int64 { return c.written.Load() / c.bytes }
