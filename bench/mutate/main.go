//go:build linux

// Command mutate damages photos, films, streams, presets, weights, flows and journals, and
// runs the program on them. However damaged they are, it must end in time, with a result or
// an error and not both, leave nothing behind, and take no more memory than it should.
//
//	go run ./bench/mutate [-n 500] [-seed N] [-only png] [-program ./nstfilter]
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"nstfilter/bench/run"
)

// maxResident is what a run may take at most, in KiB.
const maxResident = 600 << 10

func main() {
	n := flag.Int("n", 500, "runs")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of what is random")
	only := flag.String("only", "", "kind of files to damage; empty: all in turn")
	program := flag.String("program", "./nstfilter", "what reads them")
	flag.Parse()
	fmt.Println("seed", *seed)
	folder, err := os.MkdirTemp("", "mutate-")
	bad := 0
	if err == nil {
		m := &mutate{folder: folder, seed: *seed}
		if err = m.prepare(*program); err == nil {
			err = m.checkWhole()
		}
		if err == nil {
			bad, err = m.run(*n, *only)
		}
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench/mutate:", err)
		os.Exit(1)
	case bad > 0:
		fmt.Fprintf(os.Stderr, "bench/mutate: %d runs went wrong; what they read is in %s\n", bad, folder)
		os.Exit(1)
	}
	os.RemoveAll(folder)
}

// checkWhole paints each kind's files before they are damaged, which must succeed.
func (m *mutate) checkWhole() error {
	for i := range m.kinds {
		k := &m.kinds[i]
		folder := filepath.Join(m.folder, "check-"+k.name)
		if err := os.CopyFS(folder, os.DirFS(k.whole)); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(folder, "out"), 0o755); err != nil {
			return err
		}
		p, words, err := m.paint(folder, k)
		if err != nil {
			return err
		}
		if code := p.ProcessState.ExitCode(); code != 0 {
			return fmt.Errorf("%s without damage: exit code %d: %s", k.name, code, words)
		}
		if err := k.judge(p, words, 0); err != nil {
			return fmt.Errorf("%s without damage: %w: %s", k.name, err, words)
		}
	}
	return nil
}

// mutate is a run of the command.
type mutate struct {
	folder  string
	program string
	seed    uint64
	kinds   []kind
}

// outcome counts what became of a kind of files.
type outcome struct {
	runs, painted, refused, wrong int
	resident                      int64 // KiB, the most
	took                          time.Duration
}

// run damages files, one of each kind in turn, and prints a table.
func (m *mutate) run(n int, only string) (bad int, err error) {
	outcomes := make([]outcome, len(m.kinds))
	for i, done := 0, 0; done < n; i++ {
		k := i % len(m.kinds)
		if only != "" && m.kinds[k].name != only {
			if i > len(m.kinds) && done == 0 {
				return 0, fmt.Errorf("no kind is named %s", only)
			}
			continue
		}
		if err := m.one(i, &m.kinds[k], &outcomes[k]); err != nil {
			return bad, err
		}
		done++
	}
	fmt.Println("| | runs | painted | refused | wrong | MiB at most | seconds at most |\n|---|---|---|---|---|---|---|")
	for k, o := range outcomes {
		if o.runs == 0 {
			continue
		}
		fmt.Printf("| %s | %d | %d | %d | %d | %d | %.1f |\n", m.kinds[k].name, o.runs, o.painted, o.refused, o.wrong, o.resident>>10, o.took.Seconds())
		bad += o.wrong
	}
	return bad, nil
}

// one damages one file and runs the program on it. The seed and i alone decide what is
// damaged.
func (m *mutate) one(i int, k *kind, o *outcome) error {
	folder := filepath.Join(m.folder, fmt.Sprintf("%05d-%s", i, k.name))
	if err := os.MkdirAll(filepath.Join(folder, "out"), 0o755); err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(m.seed, uint64(i)))
	how, err := k.place(folder, random)
	if err != nil {
		return err
	}
	began := time.Now()
	p, words, err := m.paint(folder, k)
	if err != nil {
		return err
	}
	o.runs++
	o.took = max(o.took, time.Since(began))
	resident := p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	o.resident = max(o.resident, resident)
	if painted(p) {
		o.painted++
	} else {
		o.refused++
	}
	if wrong := k.judge(p, words, resident); wrong != nil {
		o.wrong++
		fmt.Printf("%s (%s): %v; %v\n    nstfilter %s\n    %s\n", filepath.Base(folder), how, wrong, p.ProcessState,
			strings.Join(k.args, " "), strings.ReplaceAll(strings.TrimSpace(words), "\n", "\n    "))
		return nil
	}
	return os.RemoveAll(folder)
}

// paint runs the program on the kind's files in folder.
func (m *mutate) paint(folder string, k *kind) (p *run.Program, words string, err error) {
	p = run.New(folder, m.program, k.args...)
	if k.stdin != "" {
		in, err := os.Open(filepath.Join(folder, k.stdin))
		if err != nil {
			return nil, "", err
		}
		defer in.Close()
		out, err := os.Create(filepath.Join(folder, "out", k.result))
		if err != nil {
			return nil, "", err
		}
		defer out.Close()
		p.Stdin, p.Stdout = in, out
	}
	words, err = p.Run()
	return p, words, err
}

// painted reports whether there is a result: 3 says that it is of a part of the input.
func painted(p *run.Program) bool {
	code := p.ProcessState.ExitCode()
	return code == 0 || code == 3
}

// judge reports an end that damage does not excuse.
func (k *kind) judge(p *run.Program, words string, resident int64) error {
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	success := painted(p)
	for _, trace := range []string{"panic:", "\ngoroutine ", "fatal error:", "SIGSEGV"} {
		if strings.Contains(words, trace) {
			return fmt.Errorf("it panics")
		}
	}
	info, err := os.Stat(filepath.Join(p.Folder, "out", k.result))
	switch {
	case p.Hung:
		return fmt.Errorf("it hangs")
	case status.Signaled():
		return fmt.Errorf("it dies")
	case resident > maxResident:
		return fmt.Errorf("it takes %d MiB", resident>>10)
	case success && (err != nil || info.Size() == 0):
		return fmt.Errorf("it succeeds without a result")
	case !success && err == nil && k.stdin == "": // a pipe's first frames may be out
		return fmt.Errorf("it fails and leaves a result")
	case !success && strings.TrimSpace(words) == "":
		return fmt.Errorf("it does not say why it fails")
	}
	return run.CheckLeft(p.Folder, "out", func(name string) bool {
		if !success && name == "."+k.result+".nstfilter" { // frames that are done
			left, _ := filepath.Glob(filepath.Join(p.Folder, "out", name, "*.partial*"))
			hidden, _ := filepath.Glob(filepath.Join(p.Folder, "out", name, ".*.partial*"))
			return len(left)+len(hidden) == 0
		}
		return name == k.result
	})
}
