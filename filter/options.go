package filter

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options is everything that decides the pixels. Each field is declared once:
// name is its flag and its key in a preset, help its line, DefaultOptions its
// default, Validate its range.
type Options struct {
	Size              Size          `name:"size" help:"Longest side to work at, in pixels, or auto: the input's own unless memory or an hour per picture forbids."`
	OutputSize        string        `name:"output-size" help:"Size of the result: input (the input's own) or work (the size worked at)."`
	Iterations        int           `name:"iterations" help:"Optimiser steps per scale, twice as many for the first frame of a film's scene, which all others follow; 0 leaves the picture as it is."`
	FrameIterations   int           `name:"iterations-per-frame" help:"Most steps of L-BFGS for a frame that starts from the previous result."`
	FrameTolerance    float64       `name:"frame-tolerance" help:"End such a frame when a step lowers the loss by less than this share; 0 takes every step."`
	Deadline          time.Duration `name:"deadline" help:"Time that a frame may take (500ms): the best picture by then is its result; 0s sets none."`
	MinSize           int           `name:"min-size" help:"Short side of the coarsest scale, in pixels; 0 works at one scale."`
	Margin            int           `name:"margin" help:"Pixels of the mirrored picture that are painted along and cropped, so that no frame shows."`
	Tolerance         float64       `name:"tolerance" help:"Stop a scale when its loss has changed by less than this share over ten steps; 0 never stops early."`
	Optimizer         string        `name:"optimizer" help:"adam, or lbfgs (history 10, strong Wolfe line search)."`
	LearningRate      float64       `name:"learning-rate" help:"Adam's step at the start of a scale, in units of a sample's range; it falls to a tenth by the end."`
	Average           float64       `name:"average" help:"Decay of the running mean of Adam's iterates, which is the result; 0 takes the last iterate."`
	Parameters        string        `name:"parameters" help:"What is optimised: pixels, or a Laplacian pyramid of them."`
	Init              string        `name:"init" help:"Start: previous (the previous result where there is one, else content), content, random, or image:FILE."`
	Seed              uint64        `name:"seed" help:"Seed of the random start; the same seed gives the same bytes."`
	LossScale         string        `name:"loss-scale" help:"mean (weights mean the same at every size) or sum (the paper's formulas to the letter)."`
	StyleLayers       LayerWeights  `name:"style-layers" help:"Layers of the style loss, with weights or balanced without: relu1_1:1,relu2_1."`
	ContentLayers     LayerWeights  `name:"content-layers" help:"Layers of the content loss, with weights."`
	StyleWeight       float64       `name:"style-weight" help:"Weight of the style loss."`
	ContentWeight     float64       `name:"content-weight" help:"Weight of the content loss."`
	TVWeight          float64       `name:"tv-weight" help:"Weight of the total variation."`
	PriorWeight       float64       `name:"temporal-weight" help:"Weight of staying near the previous result, moved along with the film."`
	StyleScale        float64       `name:"style-scale" help:"Longest side of the style over the longest side of the picture."`
	StyleBlendWeights Numbers       `name:"style-blend-weights" help:"Shares of the styles, in their order: 3,1. Equal if not given."`
	Precision         string        `name:"precision" help:"What convolutions multiply: fp32; mixed (bf16 backward) or bf16 (both ways), faster on processors that have AVX512-BF16 and on tensor cores; or auto: where they do, bf16, and mixed for the last scale of a photo."`
	Pooling           string        `name:"pooling" help:"Pooling of the network: avg, max, or network (what it was made for)."`
}

// DefaultOptions returns the settings that suit most pictures; how they were
// chosen is in bench/README.md.
func DefaultOptions() Options {
	return Options{
		OutputSize:      "input",
		Iterations:      60,
		FrameIterations: 7,
		FrameTolerance:  0.005,
		MinSize:         128,
		Margin:          16,
		Optimizer:       "adam",
		LearningRate:    0.02,
		Average:         0.8,
		Parameters:      "pyramid",
		Init:            "previous",
		LossScale:       "mean",
		StyleLayers:     LayerWeights{{"relu1_1", Balanced}, {"relu2_1", Balanced}, {"relu3_1", Balanced}, {"relu4_1", Balanced}, {"relu5_1", Balanced}},
		ContentLayers:   LayerWeights{{"relu4_2", 1}},
		StyleWeight:     1,
		ContentWeight:   1,
		TVWeight:        10,
		PriorWeight:     15,
		StyleScale:      1,
		Precision:       "auto",
		Pooling:         "network",
	}
}

// Presets are named overlays on DefaultOptions, by the fields' names.
var Presets = map[string]map[string]any{
	// Gatys, Ecker, Bethge 2015: white noise, one scale, L-BFGS, summed losses. Their
	// β/α of 1e3 is for a network scaled to unit activations; VGG-16's deep layers
	// are far smaller, and at 1e3 the style does not show.
	"gatys": {
		"init": "random", "min-size": 0, "margin": 0, "parameters": "pixels", "optimizer": "lbfgs", "iterations": 300,
		"loss-scale": "sum", "style-layers": "relu1_1:0.2,relu2_1:0.2,relu3_1:0.2,relu4_1:0.2,relu5_1:0.2",
		"content-weight": 1, "style-weight": 1e7, "tv-weight": 0,
	},
}

// Validate reports the first setting out of range, by its flag.
func (o *Options) Validate() error {
	oneOf := func(name, value string, allowed ...string) error {
		if slices.Contains(allowed, value) {
			return nil
		}
		return fmt.Errorf("--%s %q is not %s", name, value, strings.Join(allowed, " or "))
	}
	within := func(name string, value, low, high float64) error {
		if value >= low && value <= high { // false for NaN
			return nil
		}
		return fmt.Errorf("--%s %g is not between %g and %g", name, value, low, high)
	}
	init := o.Init
	if file, ok := strings.CutPrefix(init, "image:"); ok && file != "" {
		init = "image:FILE"
	}
	err := errors.Join(
		within("size", float64(o.Size), 0, 1<<16),
		oneOf("output-size", o.OutputSize, "input", "work"),
		within("iterations", float64(o.Iterations), 0, 1e6),
		within("iterations-per-frame", float64(o.FrameIterations), 0, 1e6),
		within("frame-tolerance", o.FrameTolerance, 0, 1),
		within("deadline", o.Deadline.Seconds(), 0, 1e6),
		within("min-size", float64(o.MinSize), 0, 1<<16),
		within("margin", float64(o.Margin), 0, 1024),
		within("tolerance", o.Tolerance, 0, 1),
		oneOf("optimizer", o.Optimizer, "adam", "lbfgs"),
		within("learning-rate", o.LearningRate, 1e-6, 10),
		within("average", o.Average, 0, 0.9999),
		oneOf("parameters", o.Parameters, "pixels", "pyramid"),
		oneOf("init", init, "content", "random", "previous", "image:FILE"),
		oneOf("loss-scale", o.LossScale, "mean", "sum"),
		o.StyleLayers.validate("style-layers"),
		o.ContentLayers.validate("content-layers"),
		within("style-weight", o.StyleWeight, 0, 1e12),
		within("content-weight", o.ContentWeight, 0, 1e12),
		within("tv-weight", o.TVWeight, 0, 1e12),
		within("temporal-weight", o.PriorWeight, 0, 1e12),
		within("style-scale", o.StyleScale, 0.05, 20),
		oneOf("precision", o.Precision, "auto", "fp32", "mixed", "bf16"),
		oneOf("pooling", o.Pooling, "network", "avg", "max"),
	)
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(first)
	}
	total := 0.0
	for _, w := range o.StyleBlendWeights {
		if !(w >= 0) || math.IsInf(w, 1) {
			return fmt.Errorf("--style-blend-weights: %g is not a share", w)
		}
		total += w
	}
	if len(o.StyleBlendWeights) > 0 && total == 0 {
		return errors.New("--style-blend-weights are all 0: give at least one style a share")
	}
	return nil
}

// Size is a longest side in pixels; 0 is auto.
type Size int

// UnmarshalText reads a number of pixels or "auto".
func (s *Size) UnmarshalText(b []byte) error {
	if string(b) == "auto" {
		*s = 0
		return nil
	}
	n, err := strconv.Atoi(string(b))
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of pixels or auto", b)
	}
	*s = Size(n)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) {
	if s == 0 {
		return []byte("auto"), nil
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

// Numbers is a list written as 3,1.
type Numbers []float64

// UnmarshalText reads numbers with commas between.
func (n *Numbers) UnmarshalText(b []byte) error {
	*n = nil
	if len(b) == 0 {
		return nil
	}
	for _, s := range strings.Split(string(b), ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", s)
		}
		*n = append(*n, v)
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (n Numbers) MarshalText() ([]byte, error) {
	var s []string
	for _, v := range n {
		s = append(s, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return []byte(strings.Join(s, ",")), nil
}

// Balanced as a weight gives a style layer 1/J_style^l(Gram(G) = 0): every layer
// begins with the same say.
const Balanced = -1

// LayerWeight is one layer of a loss.
type LayerWeight struct {
	Tap    string  // relu4_2
	Weight float64 // at least 0, or Balanced
}

// LayerWeights is written relu1_1:1,relu2_1:0.5; without a number a style layer
// is balanced and a content layer has weight 1.
type LayerWeights []LayerWeight

// UnmarshalText reads layers with commas between.
func (l *LayerWeights) UnmarshalText(b []byte) error {
	*l = nil
	if len(b) == 0 {
		return nil
	}
	for _, s := range strings.Split(string(b), ",") {
		tap, number, found := strings.Cut(strings.TrimSpace(s), ":")
		w := LayerWeight{tap, Balanced}
		if found {
			v, err := strconv.ParseFloat(number, 64)
			if err != nil || !(v >= 0) || math.IsInf(v, 1) {
				return fmt.Errorf("%q: %q is not a weight", s, number)
			}
			w.Weight = v
		}
		*l = append(*l, w)
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (l LayerWeights) MarshalText() ([]byte, error) {
	var s []string
	for _, w := range l {
		if w.Weight == Balanced {
			s = append(s, w.Tap)
		} else {
			s = append(s, w.Tap+":"+strconv.FormatFloat(w.Weight, 'g', -1, 64))
		}
	}
	return []byte(strings.Join(s, ",")), nil
}

func (l LayerWeights) validate(name string) error {
	seen := map[string]bool{}
	for _, w := range l {
		if w.Tap == "" || seen[w.Tap] {
			return fmt.Errorf("--%s names layer %q twice or not at all", name, w.Tap)
		}
		seen[w.Tap] = true
	}
	return nil
}

var (
	_ encoding.TextUnmarshaler = (*Size)(nil)
	_ encoding.TextUnmarshaler = (*Numbers)(nil)
	_ encoding.TextUnmarshaler = (*LayerWeights)(nil)
)
