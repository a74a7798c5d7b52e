package main

import (
	"encoding/json"
	"os"
	"runtime/debug"
	"time"

	"nstfilter/bench/problem"
	"nstfilter/filter/engine"
	"nstfilter/pipeline/engines"
)

var precisions = map[string]engine.Precision{"fp32": engine.FP32, "mixed": engine.Mixed, "bf16": engine.BF16}

// answerTo does a job of ours, a line of JSON, and prints the answer.
func answerTo(line string) error {
	debug.SetGCPercent(10) // as nstfilter does
	var j job
	if err := json.Unmarshal([]byte(line), &j); err != nil {
		return err
	}
	a, err := j.ours()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(a)
}

// ours times the iterations of nstfilter's engine.
func (j *job) ours() (a answer, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case engine.Failure:
			err = f
		default:
			panic(f)
		}
	}()
	p, err := problem.Read(j.Folder)
	if err != nil {
		return a, err
	}
	e, err := engines.Builtin.OpenOne(j.Device, j.ISA, 0)
	if err != nil {
		return a, err
	}
	a.Program = "nstfilter, " + e.Name()
	s := p.Spec(precisions[j.Precision])
	if m, ok := e.(engine.Precisions); s.Precision != engine.FP32 && (!ok || !m.HasBF16()) {
		a.Absent = "bfloat16"
		return a, nil
	}
	free := freeMemory(e)
	targets, err := problem.NewTargets(e, s, j.Folder)
	if err != nil {
		return a, err
	}
	ev, err := e.Compile(s)
	if err != nil {
		return a, err
	}
	defer ev.Close()
	x, dx := ev.NewVector(3*p.W*p.H), ev.NewVector(3*p.W*p.H)
	if err := problem.Load(ev, x, j.Folder, "content"); err != nil {
		return a, err
	}
	ev.Forward(x)
	ev.SetContent(nil)
	if err := problem.Load(ev, x, j.Folder, "x"); err != nil {
		return a, err
	}
	// A sum over dx is there when dx is.
	finish := func() { ev.Dots([2]engine.Vector{dx, dx}) }

	gradients := make([]engine.Gradient, len(s.Taps))
	byHost := batches(j.Seconds, finish, func() {
		targets.Gradients(gradients, ev.Forward(x))
		ev.Backward(dx, gradients)
	})
	if d, ok := ev.(engine.LossEvaluator); ok {
		d.SetTerms(targets.Terms(s))
		a.Seconds = batches(j.Seconds, finish, func() { d.EvaluateLoss(dx, x, engine.PictureTerms{}) })
		a.Host = byHost
	} else {
		a.Seconds = byHost
	}
	a.Memory = e.Memory(s) + 4*int64(x.Len()+dx.Len())
	a.Taken = free - freeMemory(e)
	out := make([]float32, dx.Len())
	ev.Download(out, dx)
	return a, problem.WriteFloats(j.Gradient, out)
}

// freeMemory is the device's, 0 where it has none of its own.
func freeMemory(e engine.Engine) int64 {
	if l, ok := e.(engine.DeviceMemory); ok {
		return l.FreeMemory()
	}
	return 0
}

const (
	warm      = 3                     // iterations before anything is timed
	batchTime = 50 * time.Millisecond // that a batch takes at least
	fewest    = 5                     // batches
)

// batches returns the seconds of an iteration in each batch, as peer_torch.py does.
func batches(seconds float64, finish, iterate func()) (all []float64) {
	timed := func(n int) float64 {
		start := time.Now()
		for range n {
			iterate()
		}
		finish()
		return time.Since(start).Seconds() / float64(n)
	}
	timed(warm)
	n := max(1, int(batchTime.Seconds()/timed(1)))
	for began := time.Now(); len(all) < fewest || time.Since(began).Seconds() < seconds; {
		all = append(all, timed(n))
	}
	return all
}
