// Command flow measures video/flow beside OpenCV's dense inverse search: how far
// the ends of its flow are from the truth, and the time it takes. Each pair is run
// by both, alternating; times are medians. Every preset and pair is a JSON line. The preset
// fine is this project's alone.
//
//	go run ./bench/flow [-python PYTHON] [-threads 2] [-runs 9] [FOLDER]
//
// FOLDER holds pairs as Middlebury lays them out; without, pairs are made up.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nstfilter/video/flow"
)

var presets = []struct {
	name string
	flow.Preset
}{{"ultrafast", flow.Ultrafast}, {"fast", flow.Fast}, {"medium", flow.Medium}, {"fine", flow.Fine}}

// result is one pair by one preset. MS is one flow, BothMS one each way, CPU the
// processor time of the former; Ratio is MS over the peer's.
type result struct {
	Preset  string  `json:"preset"`
	Pair    string  `json:"pair"`
	Threads int     `json:"threads"`
	EPE     float64 `json:"epe"`
	MS      float64 `json:"ms"`
	CPU     float64 `json:"cpu_ms"`
	BothMS  float64 `json:"both_ms"`

	PeerEPE    float64 `json:"peer_epe,omitempty"`
	PeerMS     float64 `json:"peer_ms,omitempty"`
	PeerCPU    float64 `json:"peer_cpu_ms,omitempty"`
	PeerBothMS float64 `json:"peer_both_ms,omitempty"`
	Ratio      float64 `json:"ratio,omitempty"`
	BothRatio  float64 `json:"both_ratio,omitempty"`
}

func main() {
	python := flag.String("python", "", "a Python that has cv2; empty: no peer")
	script := flag.String("script", "bench/flow/opencv.py", "the peer's program")
	threads := flag.Int("threads", 2, "threads, of both")
	runs := flag.Int("runs", 9, "runs of each, of which the median counts")
	flag.Parse()
	if err := measure(flag.Arg(0), *python, *script, *threads, max(*runs, 1)); err != nil {
		fmt.Fprintln(os.Stderr, "bench/flow:", err)
		os.Exit(1)
	}
}

func measure(folder, python, script string, threads, runs int) (err error) {
	pairs := madePairs()
	if folder != "" {
		if pairs, err = readPairs(folder); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp("", "")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	var other *peer
	if python != "" {
		if other, err = startPeer(python, script, threads); err != nil {
			return err
		}
		defer other.close()
		fmt.Fprintln(os.Stderr, "beside OpenCV", other.version)
	}
	lines := json.NewEncoder(os.Stdout)
	for _, preset := range presets {
		other := other
		if preset.name == "fine" { // which the peer does not have
			other = nil
		}
		all := result{Preset: preset.name, Pair: "all: mean of epe, sums of times", Threads: threads}
		for _, p := range pairs {
			r := result{Preset: preset.name, Pair: p.name, Threads: threads}
			if err := r.run(p, preset.Preset, other, work, runs); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			n := float64(len(pairs))
			all.EPE, all.PeerEPE = all.EPE+r.EPE/n, all.PeerEPE+r.PeerEPE/n
			all.MS, all.PeerMS = all.MS+r.MS, all.PeerMS+r.PeerMS
			all.CPU, all.PeerCPU = all.CPU+r.CPU, all.PeerCPU+r.PeerCPU
			all.BothMS, all.PeerBothMS = all.BothMS+r.BothMS, all.PeerBothMS+r.PeerBothMS
			lines.Encode(r)
		}
		all.ratios()
		lines.Encode(all)
	}
	return nil
}

func (r *result) ratios() {
	if r.PeerMS > 0 {
		r.Ratio, r.BothRatio = r.MS/r.PeerMS, r.BothMS/r.PeerBothMS
	}
}

// run measures p, after one run that is not counted.
func (r *result) run(p pair, preset flow.Preset, other *peer, work string, runs int) error {
	e := flow.New(p.a.W, p.a.H, preset, r.Threads)
	r.EPE = endPointError(e.Forward(p.a, p.b), p.truth)
	if other != nil {
		a, b, flo := filepath.Join(work, "a"), filepath.Join(work, "b"), filepath.Join(work, "flo")
		if err := os.WriteFile(a, bytes(p.a), 0o600); err != nil {
			return err
		}
		if err := os.WriteFile(b, bytes(p.b), 0o600); err != nil {
			return err
		}
		if _, err := other.ask("load", fmt.Sprint(p.a.W), fmt.Sprint(p.a.H), a, b); err != nil {
			return err
		}
		if _, err := other.ask("run", r.Preset, "0", flo); err != nil {
			return err
		}
		f, err := readFlow(flo)
		if err != nil {
			return err
		}
		r.PeerEPE = endPointError(f, p.truth)
	}
	var ms, cpu, both, peerMS, peerCPU, peerBoth []float64
	for range runs {
		before, start := processorTime(), time.Now()
		e.Forward(p.a, p.b)
		ms = append(ms, milliseconds(time.Since(start)))
		cpu = append(cpu, milliseconds(processorTime()-before))
		start = time.Now()
		e.Between(p.a, p.b)
		both = append(both, milliseconds(time.Since(start)))
		if other == nil {
			continue
		}
		one, err := other.ask("run", r.Preset, "0", "")
		if err != nil {
			return err
		}
		two, err := other.ask("run", r.Preset, "1", "")
		if err != nil {
			return err
		}
		peerMS, peerCPU, peerBoth = append(peerMS, one.MS), append(peerCPU, one.CPU), append(peerBoth, two.MS)
	}
	r.MS, r.CPU, r.BothMS = median(ms), median(cpu), median(both)
	if other != nil {
		r.PeerMS, r.PeerCPU, r.PeerBothMS = median(peerMS), median(peerCPU), median(peerBoth)
	}
	r.ratios()
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func median(x []float64) float64 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
