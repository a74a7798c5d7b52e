// Engine times one iteration of style transfer, J and its gradient at the pixels,
// with nstfilter's engines beside PyTorch and ONNX Runtime on the same problem
// (bench/problem). Programs take turns, each run is a process of its own, and every
// gradient is compared with PyTorch's in float32.
//
//	bench/engine/run.sh [-cases vgg19:512x512,…] [-rounds 3] [-threads 2]
//
// It prints a table, and with -json a line of JSON for each case and program.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"nstfilter/bench/problem"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/engines"
)

const everyCase = "vgg19:512x512,vgg19:256x256,vgg19:1024x1024,vgg16:512x512,vgg16:256x256,vgg16:1024x1024,slim:512x512,slim:1920x1080,slim:64x64"

// smallest is the most pixels that the gorgonia engine is given.
const smallest = 64 * 64

func main() {
	var (
		cases   = flag.String("cases", everyCase, "`network:WxH` of vgg19 (random weights), vgg16 and slim")
		rounds  = flag.Int("rounds", 3, "turns of each program")
		threads = flag.Int("threads", runtime.GOMAXPROCS(0), "of every program")
		dir     = flag.String("dir", ".build/bench-engine", "`folder` for what the programs are given")
		python  = flag.String("python", "python3", "with requirements.txt installed")
		peers   = flag.String("peers", "bench/engine", "`folder` of the Python programs")
		asJSON  = flag.Bool("json", false, "a line of JSON for each case and program")
		work    = flag.String("work", "", "work on the problem in this `folder` as "+strings.Join(workAs, ":"))
	)
	flag.Parse()
	if *work != "" {
		parts := flag.Args()
		if len(parts) != len(workAs) {
			fail(fmt.Errorf("-work wants %v", workAs))
		}
		fail(ours(*work, parts[0], parts[1], parts[2]))
		return
	}
	r := &runner{rounds: *rounds, threads: *threads, dir: *dir, python: *python, peers: *peers, json: *asJSON}
	for _, c := range strings.Split(*cases, ",") {
		fail(r.run(c))
	}
}

var workAs = []string{"DEVICE", "PRECISION", "GRADIENT"}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/engine:", err)
		os.Exit(1)
	}
}

type runner struct {
	rounds, threads    int
	dir, python, peers string
	json               bool
}

// program is one that takes part, and what has been measured of it.
type program struct {
	Name      string  `json:"name"`
	Version   string  `json:"version"`
	Precision string  `json:"precision"`
	Seconds   float64 `json:"seconds"` // median over turns of a turn's median
	Memory    int64   `json:"peak_memory_bytes"`
	Cosine    float64 `json:"gradient_cosine"` // to PyTorch's in fp32
	Ratio     float64 `json:"ratio"`           // its time over ours in its precision

	own     bool
	command []string
	turns   []float64
}

func (r *runner) run(c string) error {
	p, err := problem.New(c, r.threads)
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(filepath.Join(r.dir, strings.ReplaceAll(c, ":", "-")))
	if err != nil {
		return err
	}
	if err := p.Write(folder); err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	all, err := r.programs(p, folder)
	if err != nil {
		return err
	}
	for turn := range r.rounds {
		for i, q := range all {
			if turn > 0 && slices.ContainsFunc(all, q.slowerLayoutThan) {
				continue
			}
			if err := all[i].turn(); err != nil {
				return fmt.Errorf("%s, %s %s: %w", c, q.Name, q.Precision, err)
			}
		}
	}
	return r.report(c, folder, all)
}

// programs are those that can run here, PyTorch first: what is compared with it
// needs its gradient.
func (r *runner) programs(p *problem.Problem, folder string) ([]*program, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*program
	add := func(name, precision string, own bool, command ...string) {
		command = append(command, gradientFile(folder, name, precision))
		all = append(all, &program{Name: name, Precision: precision, own: own, command: command})
	}
	e, err := engines.Builtin.OpenOne("auto", "auto", r.threads)
	if err != nil {
		return nil, err
	}
	m, _ := e.(engine.Precisions)
	halves := m != nil && m.HasBF16()
	for _, precision := range []string{"fp32", "bf16"} {
		if precision == "bf16" && !halves {
			continue // PyTorch emulates it, slower than fp32
		}
		for _, layout := range []string{"nchw", "nhwc"} {
			add("PyTorch "+layout, precision, false, r.python, filepath.Join(r.peers, "peer_torch.py"), folder, precision, layout)
		}
	}
	add("ONNX Runtime", "fp32", false, r.python, filepath.Join(r.peers, "peer_onnx.py"), folder)
	add("nstfilter cpu", "fp32", true, self, "-work", folder, "cpu", "fp32")
	if halves {
		add("nstfilter cpu", "mixed", true, self, "-work", folder, "cpu", "mixed")
		add("nstfilter cpu", "bf16", true, self, "-work", folder, "cpu", "bf16")
	}
	if p.W*p.H <= smallest {
		add("nstfilter gorgonia", "fp32", false, self, "-work", folder, "gorgonia", "fp32")
	}
	return all, nil
}

func gradientFile(folder, name, precision string) string {
	return filepath.Join(folder, strings.ReplaceAll(name+" "+precision+".f32", " ", "-"))
}

// turn runs the program once.
func (p *program) turn() error {
	var out, log bytes.Buffer
	cmd := exec.Command(p.command[0], p.command[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, log.Bytes())
	}
	var t timing
	if err := json.Unmarshal(out.Bytes(), &t); err != nil {
		return fmt.Errorf("it said %q: %w", out.Bytes(), err)
	}
	p.Version, p.Memory = t.Program, max(p.Memory, t.Memory)
	p.turns = append(p.turns, problem.Median(t.Seconds))
	p.Seconds = problem.Median(p.turns)
	return nil
}

// slowerLayoutThan says that after a turn of both, other is PyTorch with the better
// layout: only that goes on.
func (p *program) slowerLayoutThan(other *program) bool {
	return strings.HasPrefix(p.Name, "PyTorch") && strings.HasPrefix(other.Name, "PyTorch") &&
		p.Precision == other.Precision && p.turns[0] > other.turns[0]
}

func (r *runner) report(c, folder string, all []*program) error {
	oracle, err := problem.ReadFloats(gradientFile(folder, "PyTorch nchw", "fp32"))
	if err != nil {
		return err
	}
	best := map[string]*program{}
	for _, p := range all {
		if p.own {
			best[p.Precision] = p
		}
	}
	for _, p := range all {
		g, err := problem.ReadFloats(gradientFile(folder, p.Name, p.Precision))
		if err != nil {
			return err
		}
		p.Cosine, p.Ratio = problem.Cosine(g, oracle), p.Seconds/best[p.Precision].Seconds
	}
	slices.SortStableFunc(all, func(a, b *program) int { return cmp.Compare(a.Seconds, b.Seconds) })
	if r.json {
		for _, p := range all {
			line, err := json.Marshal(struct {
				Case    string `json:"case"`
				Threads int    `json:"threads"`
				*program
			}{c, r.threads, p})
			if err != nil {
				return err
			}
			fmt.Println(string(line))
		}
		return nil
	}
	fmt.Printf("\n%s, %d threads, median of %d turns\n", c, r.threads, r.rounds)
	fmt.Printf("  %-44s %9s %7s %9s %13s\n", "", "seconds", "ratio", "MiB", "cosine")
	for _, p := range all {
		fmt.Printf("  %-44s %9.3f %7.2f %9.0f %13.9f\n", p.Version+layoutOf(p.Name)+", "+p.Precision, p.Seconds, p.Ratio, float64(p.Memory)/(1<<20), p.Cosine)
	}
	return nil
}

// layoutOf is PyTorch's.
func layoutOf(name string) string {
	if layout, found := strings.CutPrefix(name, "PyTorch"); found {
		return layout
	}
	return ""
}
