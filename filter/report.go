package filter

import "time"

// Losses are the weighted terms of J at one iterate, and their sum.
type Losses struct {
	Total   float64            `json:"total"`
	Content float64            `json:"content"`
	Style   float64            `json:"style"`
	TV      float64            `json:"tv"`
	Gamut   float64            `json:"gamut"`
	Prior   float64            `json:"prior"`
	Layers  map[string]float64 `json:"layers,omitempty"` // parts of Style by layer, at half the size as relu1_1/2; only in a Report and with Filter.ByLayer
}

// Progress describes one optimiser step.
type Progress struct {
	Scale, Scales         int     // from 1
	W, H                  int     // of this scale
	Iteration, Iterations int     // of this scale, from 1
	Done                  float64 // share of the whole picture's work, in [0,1]
	Losses                Losses
}

// Report describes how a picture was painted.
type Report struct {
	W, H       int    // size painted at
	Iterations int    // sum over all scales
	Stopped    string // why the last scale ended: "iterations", "settled", "deadline", by Live "next" or "stopped", or "transparent" if there was nothing to paint
	Losses     Losses
	// DeviceBudget is the limit in bytes that was set on an evaluator after the device ran
	// out of memory, for this picture or an earlier one; 0: it did not.
	DeviceBudget int64
	// ByHand says what Live changed, and when. If it is not empty, the options alone do not give
	// this result again.
	ByHand []string
	// Margin is the result's margin minus its reflection, for the Guide of the next frame.
	Margin []float32
	// Seconds by stage: "compile", "targets", "optimise", "resize".
	Seconds map[string]float64
}

// since adds the time from t to a stage and returns now.
func (r *Report) since(t time.Time, stage string) time.Time {
	now := time.Now()
	r.Seconds[stage] += now.Sub(t).Seconds()
	return now
}
