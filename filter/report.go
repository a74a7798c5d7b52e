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
	Layers  map[string]float64 `json:"layers,omitempty"` // what each layer adds to Style, at half the size as relu1_1/2; in a Report only, where Filter.ByLayer asks for it
}

// Progress is told after every step.
type Progress struct {
	Scale, Scales         int     // from 1
	W, H                  int     // of this scale
	Iteration, Iterations int     // of this scale, from 1
	Done                  float64 // share of the whole picture's work, in [0,1]
	Losses                Losses
}

// Report says how a picture came about.
type Report struct {
	W, H       int    // worked at
	Iterations int    // over all scales
	Stopped    string // what ended the last scale: "iterations", "settled" or "deadline"; "transparent": nothing to paint
	Losses     Losses
	// Less is how many bytes the engine was left after its device had run out of
	// memory, here or for an earlier picture; 0: it had enough.
	Less int64
	// Margin is what was painted around the picture, as the difference from its
	// reflection: for the Guide of the frame after.
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
