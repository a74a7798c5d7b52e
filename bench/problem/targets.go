package problem

import (
	"fmt"
	"path/filepath"

	"nstfilter/filter/engine"
)

// Targets are what J is made with, for each tap of a Spec.
type Targets struct {
	Gram    [][]float32 // A, (C, C)
	Style   []float64   // 1/‖A‖²
	Content []float64   // 1/‖t‖²
}

// NewTargets evaluates the pictures style and content of the folder dir.
func NewTargets(e engine.Engine, s engine.Spec, dir string) (*Targets, error) {
	s.Taps = append([]engine.Tap(nil), s.Taps...)
	for i := range s.Taps { // the trace of a Gram matrix is ‖t‖²/P
		s.Taps[i].Style, s.Taps[i].Content = true, false
	}
	ev, err := e.Compile(s)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	t := &Targets{}
	x := ev.NewVector(3 * s.W * s.H)
	if err := Load(ev, x, dir, "style"); err != nil {
		return nil, err
	}
	for _, m := range ev.Forward(x) {
		square := 0.0
		for _, v := range m.Gram {
			square += float64(v) * float64(v)
		}
		t.Gram, t.Style = append(t.Gram, append([]float32(nil), m.Gram...)), append(t.Style, 1/square)
	}
	if err := Load(ev, x, dir, "content"); err != nil {
		return nil, err
	}
	for i, m := range ev.Forward(x) {
		c, trace := s.Network.Layers[s.Taps[i].Layer].Out, 0.0
		for j := range c {
			trace += float64(m.Gram[j*c+j])
		}
		t.Content = append(t.Content, 1/(trace*m.P))
	}
	return t, nil
}

// Gradients writes J's derivatives by the moments.
func (t *Targets) Gradients(gs []engine.Gradient, ms []engine.Moments) {
	for i, m := range ms {
		if m.Gram == nil {
			gs[i].Content = t.Content[i]
			continue
		}
		if gs[i].Gram == nil {
			gs[i].Gram = make([]float32, len(m.Gram))
		}
		for j, v := range m.Gram {
			gs[i].Gram[j] = float32(2 * t.Style[i] * float64(v-t.Gram[i][j]))
		}
	}
}

// Terms is J as an engine.LossEvaluator has it. Without a metric its style is
// Style/2·‖Δ‖².
func (t *Targets) Terms(s engine.Spec) []engine.Term {
	terms := make([]engine.Term, len(s.Taps))
	for i, tap := range s.Taps {
		if tap.Style {
			terms[i] = engine.Term{Target: t.Gram[i], Style: 2 * t.Style[i]}
		}
		if tap.Content {
			terms[i].Content = t.Content[i]
		}
	}
	return terms
}

// Load uploads a picture of the folder dir: x, style or content.
func Load(ev engine.Evaluator, x engine.Vector, dir, name string) error {
	pix, err := ReadFloats(filepath.Join(dir, name+".f32"))
	if err != nil {
		return err
	}
	if len(pix) != x.Len() {
		return fmt.Errorf("%s.f32: %d values, want %d", name, len(pix), x.Len())
	}
	ev.Upload(x, pix)
	return nil
}
