package gorgonia

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
	"nstfilter/filter/engine"
)

// evaluator runs one graph for Forward and a second one, with its symbolic derivative, for
// Backward.
type evaluator struct {
	vectors
	spec    engine.Spec
	in      inputs
	forward *run
	back    *run // nil if no tap has moments
	read    []tapValues
	dx      G.Value // (1, 3, H+2, W+2)
	moments []engine.Moments
	metric  [][]float32
	ran     bool
}

// tapValues are filled by the forward graph.
type tapValues struct {
	F, gram, mean, delta G.Value
}

func newEvaluator(s engine.Spec) (*evaluator, error) {
	e := &evaluator{
		vectors: vectors{w: s.W, h: s.H},
		spec:    s,
		read:    make([]tapValues, len(s.Taps)),
		moments: make([]engine.Moments, len(s.Taps)),
		metric:  make([][]float32, len(s.Taps)),
	}
	w, h := engine.Sizes(s)
	e.in.x = make([]float32, 3*(s.W+2)*(s.H+2))
	e.in.taps = make([]tapInputs, len(s.Taps))
	for i, t := range s.Taps {
		C, P := s.Network.Layers[t.Layer].Out, w[t.Layer]*h[t.Layer]
		in, m := &e.in.taps[i], &e.moments[i]
		in.share = make([]float32, P)
		if t.Style {
			in.dGram, in.dMean = make([]float32, C*C), make([]float32, C)
			m.Gram, m.Mean = make([]float32, C*C), make([]float32, C)
		}
		if t.Content {
			in.dDelta, in.target = make([]float32, C*C), make([]float32, C*P)
		}
	}
	e.share(nil)
	return e, e.build()
}

// build makes both graphs anew.
func (e *evaluator) build() error {
	building.Lock()
	defer building.Unlock()
	e.free()
	if err := e.buildForward(); err != nil {
		return err
	}
	return e.buildBackward()
}

// SetMask builds the graphs anew if it adds weights to a tap or removes them. It panics if that
// fails, which it should not: the first build did not.
func (e *evaluator) SetMask(mask []float32, regions ...[]float32) {
	e.mask = slices.Clone(mask)
	if !e.share(regions) {
		return
	}
	if err := e.build(); err != nil {
		panic(err)
	}
}

// share fills the inputs that hold the weight of each position. It reports whether a tap has
// weights that had none, or has none any more.
func (e *evaluator) share(regions [][]float32) (changed bool) {
	for i, share := range engine.Shares(e.spec, e.mask, regions) {
		in := &e.in.taps[i]
		changed = changed || (share == nil) != (in.root == nil)
		if share == nil {
			in.root = nil
			for p := range in.share {
				in.share[p] = 1
			}
		} else {
			copy(in.share, share)
			C := e.spec.Network.Layers[e.spec.Taps[i].Layer].Out
			if in.root == nil {
				in.root = make([]float32, C*len(in.share))
			}
			for j := range in.root {
				in.root[j] = float32(math.Sqrt(float64(in.share[j/C])))
			}
		}
		e.moments[i].P = engine.Total(in.share)
	}
	return changed
}

func (e *evaluator) buildForward() (err error) {
	g := newGraph(e.spec, &e.in)
	var reads G.Nodes
	for i := range g.taps {
		n, v := &g.taps[i], &e.read[i]
		if n.gram != nil {
			reads = append(reads, G.Read(n.gram, &v.gram), G.Read(n.mean, &v.mean))
		}
		if n.delta != nil {
			reads = append(reads, G.Read(n.F, &v.F), G.Read(n.delta, &v.delta))
		}
	}
	if len(reads) > 0 {
		e.forward, err = g.compile(reads)
	}
	return err
}

func (e *evaluator) buildBackward() (err error) {
	g := newGraph(e.spec, &e.in)
	cost := g.cost(e.spec, &e.in)
	if cost == nil {
		return nil
	}
	d, err := G.Grad(cost, g.x)
	if err != nil {
		return fmt.Errorf("gorgonia: derive: %w", err)
	}
	e.back, err = g.compile(G.Nodes{G.Read(d[0], &e.dx)})
	return err
}

func (e *evaluator) Forward(x engine.Vector) []engine.Moments {
	e.frame(x.(vector))
	if e.forward != nil {
		e.forward.do()
	}
	e.ran = true
	for i := range e.spec.Taps {
		m, v := &e.moments[i], &e.read[i]
		if m.Gram != nil {
			scale(m.Gram, floats(v.gram), inverse(m.P))
			scale(m.Mean, floats(v.mean), inverse(m.P))
		}
		if e.in.taps[i].content {
			m.Content = trace(e.metric[i], floats(v.delta))
		}
	}
	return e.moments
}

// SetContent treats a nil metric as a list of identities.
func (e *evaluator) SetContent(metric [][]float32) {
	if !e.ran {
		panic("gorgonia: SetContent before Forward")
	}
	if metric != nil {
		same(len(metric), len(e.spec.Taps))
	}
	for i, t := range e.spec.Taps {
		if !t.Content {
			continue
		}
		in := &e.in.taps[i]
		transpose(in.target, floats(e.read[i].F), len(in.share))
		in.content = true
		e.metric[i] = nil
		if metric != nil && metric[i] != nil {
			same(len(metric[i]), len(in.dDelta))
			e.metric[i] = append([]float32(nil), metric[i]...)
		}
	}
}

func (e *evaluator) Backward(dx engine.Vector, g []engine.Gradient) {
	if !e.ran {
		panic("gorgonia: Backward before Forward")
	}
	same(len(g), len(e.spec.Taps))
	same(dx.Len(), 3*e.spec.W*e.spec.H)
	for i := range g {
		in, over := &e.in.taps[i], inverse(e.moments[i].P)
		seed(in.dGram, g[i].Gram, over)
		seed(in.dMean, g[i].Mean, over)
		if in.content {
			weigh(in.dDelta, e.metric[i], g[i].Content)
		}
	}
	if e.back == nil {
		clear(dx.(vector))
		return
	}
	if !finite(e.moments) { // the gradient of MaxPool2D panics on a NaN in v0.9.18
		for i := range dx.(vector) {
			dx.(vector)[i] = float32(math.NaN())
		}
		return
	}
	e.back.do()
	e.unframe(dx.(vector), floats(e.dx))
	if e.mask != nil {
		engine.ClearMasked(dx.(vector), e.mask)
	}
}

func finite(moments []engine.Moments) bool {
	sum := 0.
	for _, m := range moments {
		sum += m.Content
		for _, of := range [][]float32{m.Gram, m.Mean} {
			for _, v := range of {
				sum += math.Abs(float64(v))
			}
		}
	}
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// inverse is 1/P, or 0 where no position counts.
func inverse(P float64) float64 {
	if P == 0 {
		return 0
	}
	return 1 / P
}

// free closes both graphs.
func (e *evaluator) free() {
	for _, r := range []*run{e.forward, e.back} {
		if r != nil {
			r.machine.Close()
		}
	}
	e.forward, e.back = nil, nil
}

func (e *evaluator) Close() {
	e.free()
	*e = evaluator{}
}

// frame normalises x into the graphs' input, with a border of one pixel that
// repeats the edge.
func (e *evaluator) frame(x []float32) {
	W, H, n := e.spec.W, e.spec.H, e.spec.Network
	same(len(x), 3*W*H)
	for c := range 3 {
		for i := -1; i <= H; i++ {
			for j := -1; j <= W; j++ {
				v := x[(c*H+min(max(i, 0), H-1))*W+min(max(j, 0), W-1)]
				e.in.x[(c*(H+2)+i+1)*(W+2)+j+1] = (v - n.Mean[c]) / n.Std[c]
			}
		}
	}
}

// unframe adds the border's gradient to the edge's and divides by Std.
func (e *evaluator) unframe(dx, d []float32) {
	W, H, n := e.spec.W, e.spec.H, e.spec.Network
	clear(dx)
	for c := range 3 {
		for i := -1; i <= H; i++ {
			for j := -1; j <= W; j++ {
				dx[(c*H+min(max(i, 0), H-1))*W+min(max(j, 0), W-1)] += d[(c*(H+2)+i+1)*(W+2)+j+1] / n.Std[c]
			}
		}
	}
}

// trace is Σ_kl M_kl D_kl; M nil is the identity.
func trace(M, D []float32) float64 {
	var s float64
	if M != nil {
		for i, v := range D {
			s += float64(M[i]) * float64(v)
		}
		return s
	}
	for i := 0; i < len(D); i += side(D) + 1 {
		s += float64(D[i])
	}
	return s
}

// weigh sets d = a·M; M nil is the identity.
func weigh(d, M []float32, a float64) {
	if M != nil {
		scale(d, M, a)
		return
	}
	clear(d)
	for i := 0; i < len(d); i += side(d) + 1 {
		d[i] = float32(a)
	}
}

// transpose turns src (C, P) into dst (P, C).
func transpose(dst, src []float32, P int) {
	C := len(src) / P
	for i, v := range src {
		dst[i%P*C+i/P] = v
	}
}

// side is the n of an n×n matrix.
func side(m []float32) int {
	n := 0
	for n*n < len(m) {
		n++
	}
	return n
}

// seed sets d = a·g; g nil is zero.
func seed(d, g []float32, a float64) {
	if g == nil {
		clear(d)
		return
	}
	scale(d, g, a)
}

func scale(dst, src []float32, a float64) {
	same(len(dst), len(src))
	for i, v := range src {
		dst[i] = float32(a * float64(v))
	}
}

func floats(v G.Value) []float32 { return v.Data().([]float32) }

// same panics where lengths differ.
func same(a, b int) {
	if a != b {
		panic(fmt.Sprintf("gorgonia: length %d, want %d", a, b))
	}
}
