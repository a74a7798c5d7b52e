// Cuda times one iteration of style transfer, J and its gradient at the pixels, on a
// GPU, beside PyTorch on the same problem (bench/problem). Programs take turns; after
// the first only the fastest PyTorch of each precision goes on. Every gradient is
// compared with PyTorch's in float32 without TF32.
//
//	bench/cuda/run.sh [-quick] [-cases vgg19:512x512,…] [-rounds 2] [-json FILE]
//
// Ours computes J where the data is (engine.LossEvaluator) and, in a column of its own,
// through moments and gradients that pass through the host. PyTorch runs in both
// layouts, eagerly and as a CUDA graph. Who is compared with whom: fp32 with fp32,
// mixed with TF32, bf16 with bf16.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nstfilter/bench/problem"
)

const (
	everyCase      = "vgg19:512x512,vgg19:1024x1024,slim:1280x720,slim:1920x1080"
	everyPrecision = "fp32,mixed,bf16"
	// What -quick sets, where a flag of its own does not.
	quickCases     = "vgg19:512x512,slim:1280x720"
	quickPrecision = "bf16"
)

func main() {
	var (
		r          runner
		cases      = flag.String("cases", everyCase, "`network:WxH` of vgg19 (random weights), vgg16 and slim")
		precisions = flag.String("precisions", everyPrecision, "of ours, each beside PyTorch's fp32, tf32, bf16")
		quick      = flag.Bool("quick", false, "in a minute: -cases "+quickCases+" -precisions "+quickPrecision+" -rounds 1 -seconds 0.3")
		python     = flag.String("python", "python3", "one that has PyTorch")
		peer       = flag.String("peer", "bench/cuda/peer_torch.py", "the `program` in Python")
		lines      = flag.String("json", "", "write a line of JSON for each case and program to this `file`")
		work       = flag.String("work", "", "do this `job`, in JSON, and answer in JSON")
	)
	flag.IntVar(&r.rounds, "rounds", 2, "turns of each program")
	flag.Float64Var(&r.seconds, "seconds", 0.6, "that each turn is timed for")
	flag.BoolVar(&r.compile, "compile", false, "also PyTorch's torch.compile, which takes minutes")
	flag.StringVar(&r.device, "device", "cuda", "what ours computes on; cpu tries this program out")
	flag.StringVar(&r.dir, "dir", ".build/bench-cuda", "`folder` for what the programs are given")
	flag.Parse()
	if *work != "" {
		fail(answerTo(*work))
		return
	}
	if *quick {
		given := map[string]bool{}
		flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
		for name, value := range map[string]string{"cases": quickCases, "precisions": quickPrecision, "rounds": "1", "seconds": "0.3"} {
			if !given[name] {
				fail(flag.Set(name, value))
			}
		}
	}
	if *lines != "" {
		file, err := os.Create(*lines)
		fail(err)
		defer file.Close()
		r.lines = json.NewEncoder(file)
	}
	r.precisions = strings.Split(*precisions, ",")
	fail(r.everything(*python, *peer, strings.Split(*cases, ",")))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/cuda:", err)
		os.Exit(1)
	}
}

type runner struct {
	rounds      int
	seconds     float64
	precisions  []string
	compile     bool
	device, dir string
	lines       *json.Encoder // nil: none

	torch *torch
	card  card
}

// everything runs all cases. A program that fails is reported in its table, and at
// the end.
func (r *runner) everything(python, peer string, cases []string) error {
	var err error
	if r.torch, err = startTorch(python, peer); err != nil {
		return err
	}
	defer r.torch.close()
	if err := r.torch.ask(job{Card: true}, &r.card); err != nil {
		return err
	}
	r.card.print()
	failed := 0
	for _, c := range cases {
		all, err := r.run(c)
		if err != nil {
			return fmt.Errorf("%s: %w", c, err)
		}
		for _, p := range all {
			if p.Error != "" {
				failed++
			}
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d programs failed", failed)
	}
	return nil
}

// run times all programs on one case.
func (r *runner) run(c string) ([]*program, error) {
	p, err := problem.New(c, 0)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(filepath.Join(r.dir, strings.ReplaceAll(c, ":", "-")))
	if err != nil {
		return nil, err
	}
	if err := p.Write(folder); err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	all, err := r.programs(folder)
	if err != nil {
		return nil, err
	}
	going := slices.Clone(all)
	for range r.rounds {
		for _, q := range going {
			q.turn()
		}
		going = slices.DeleteFunc(going, func(q *program) bool { return q.Error != "" || beaten(q, all) })
	}
	return all, r.report(c, folder, p, all)
}
