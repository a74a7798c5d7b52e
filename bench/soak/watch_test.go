//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

// series is 100 samples that change makes of steady ones.
func series(change func(i int, s *sample)) []sample {
	all := make([]sample, 100)
	for i := range all {
		all[i] = sample{at: time.Duration(i) * time.Second, memory: 100 << 10, files: 8, threads: 10, frames: int64(i)}
		change(i, &all[i])
	}
	return all
}

func TestJudge(t *testing.T) {
	for want, change := range map[string]func(i int, s *sample){
		"":                  func(i int, s *sample) { s.memory += int64(i%7) << 8 },
		"memory grows":      func(i int, s *sample) { s.memory += int64(i) << 8 },
		"open files grow":   func(i int, s *sample) { s.files += i / 80 },
		"threads grow":      func(i int, s *sample) { s.threads += i / 15 },
		"no frame has come": func(i int, s *sample) { s.frames = int64(min(i, 30)) },
	} {
		err := judge(series(change))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	warm := func(i int, s *sample) {
		if i < 10 {
			s.memory = 1 << 30
		}
	}
	grows := series(func(i int, s *sample) { warm(i, s); s.memory += int64(i) << 8 })
	if judge(grows) == nil {
		t.Error("what is taken while warming up hides growth")
	}
}

func TestTake(t *testing.T) {
	s, err := take(os.Getpid())
	if err != nil || s.memory < 1000 || s.files < 3 || s.threads < 1 {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := take(1 << 30); err == nil {
		t.Error("a process that is not there")
	}
}
