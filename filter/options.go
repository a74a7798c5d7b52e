package filter

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"nstfilter/filter/limits"
)

// Options holds every setting that changes pixels. Each is declared once: its tags have the
// name of the flag and of the key in a preset, the allowed values (see package limits) and
// the help; DefaultOptions has the default. Those that people turn most have a line for -h in
// the tag brief.
type Options struct {
	Size              Size          `name:"size" brief:"Longest side, in pixels: fewer are quicker." min:"0" max:"65536" help:"Longest side to work at, in pixels, or auto: the input's own unless memory or an hour per picture forbids."`
	OutputSize        string        `name:"output-size" oneof:"input,work" help:"Size of the result: input (the input's own) or work (the size worked at)."`
	Iterations        Steps         `name:"iterations" most:"32" min:"0" max:"1e6" help:"Optimiser steps of each scale, coarse to fine, the last number for all that follow: 100,25,12. 0 leaves the picture as it is."`
	FrameIterations   int           `name:"iterations-per-frame" min:"0" max:"1e6" help:"Most steps of L-BFGS for a frame that starts from the previous result."`
	FrameTolerance    float64       `name:"frame-tolerance" min:"0" max:"1" help:"End such a frame when a step lowers the loss by less than this share; 0 takes every step."`
	Deadline          time.Duration `name:"deadline" min:"0s" max:"1000000s" help:"Time that a frame may take (500ms): the best picture by then is its result; 0s sets none."`
	MinSize           int           `name:"min-size" min:"0" max:"65536" help:"Short side of the coarsest scale, in pixels, from which each is about 1.7 times as large as the one before; 0 works at one scale."`
	Margin            int           `name:"margin" min:"0" max:"1024" help:"Pixels of the mirrored picture that are painted along and cropped, so that no frame shows."`
	Tolerance         float64       `name:"tolerance" min:"0" max:"1" help:"Stop a scale when its loss has changed by less than this share over ten steps; 0 never stops early."`
	Optimizer         string        `name:"optimizer" oneof:"adam,lbfgs" help:"adam, or lbfgs (history 10, strong Wolfe line search)."`
	LearningRate      float64       `name:"learning-rate" min:"1e-6" max:"10" help:"Adam's step at the start of a scale, in units of a sample's range; it falls to a tenth by the end."`
	Average           float64       `name:"average" min:"0" max:"0.9999" help:"Decay of the running mean of Adam's iterates, which is the result; 0 takes the last iterate."`
	Parameters        string        `name:"parameters" oneof:"pixels,pyramid" help:"What is optimised: pixels, or a Laplacian pyramid of them."`
	Init              string        `name:"init" oneof:"previous,recolored,content,random,image:FILE" help:"Start: previous (the previous result where there is one, else recolored), recolored (the picture in the colours of the style), content (the picture as it is), random, or image:FILE."`
	OriginalColors    bool          `name:"original-colors" brief:"Keep the colours of the photo or film." help:"Keep the colours of the photo or film: the result has the painting's light and strokes alone."`
	ColorMatch        string        `name:"color-match" oneof:"none,mean-covariance,histogram" help:"Give the style the colours of the photo before it is painted with, those of a film's scene from its first frame: none, mean-covariance (its mean colour, contrast and tints), or histogram (of lightness and hues)."`
	NoStyleColors     bool          `name:"no-style-colors" help:"Leave the colours as the optimiser left them. Else the result gets the mean colour, the contrast and the tints of the style in the end."`
	Seed              uint64        `name:"seed" help:"Seed of the random start; the same seed gives the same bytes."`
	LossScale         string        `name:"loss-scale" oneof:"mean,sum" help:"mean (weights mean the same at every size) or sum (the paper's formulas to the letter)."`
	StyleLayers       LayerWeights  `name:"style-layers" help:"Layers of the style loss with their relative weights: relu1_1:64,relu2_1:16. Layers without weights, and balanced, which stands for relu1_1 to relu5_1, begin with the same say each."`
	StyleLoss         string        `name:"style-loss" oneof:"gram,gram+means,gram+moments,covariance,shifted,wasserstein" help:"What of these layers is compared with the style: gram (Gatys); gram+means, their means too, which paints calmer and in truer colours; gram+moments, also the standard deviation of each channel; covariance, with the means; shifted, the Gram matrices of activations less their mean level; or wasserstein, the distance of the Gaussians with these moments, which takes longer. All but the first two are computed on the processor, with a GPU too."`
	LayerReach        float64       `name:"layer-reach" min:"0.01" max:"100" help:"Share of the picture's short side that a layer of the style loss may see at once: more draws things of the painting into the picture, less leaves short strokes alone."`
	StyleSizes        Numbers       `name:"style-sizes" most:"8" min:"0" max:"1e12" help:"How much the style counts at the picture's own size, at half of it, at a quarter, and so on: strokes grow broader with the smaller ones."`
	ContentLayers     LayerWeights  `name:"content-layers" help:"Layers of the content loss, with weights."`
	StyleWeight       float64       `name:"style-weight" min:"0" max:"1e12" help:"Weight of the style loss."`
	ContentWeight     Numbers       `name:"content-weight" brief:"1 keeps more of the photo, 0.04 less." most:"32" min:"0" max:"1e12" help:"Weight of the content loss: more keeps more of the picture, less lets strokes flow. Several numbers are for the scales, coarse to fine, the last for all that follow."`
	TVWeight          Numbers       `name:"tv-weight" most:"32" min:"0" max:"1e12" help:"Weight of the total variation, one or for the scales like --content-weight: more paints smoother."`
	GamutWeight       float64       `name:"gamut-weight" min:"0" max:"1e12" help:"Weight of keeping colours within what can be shown while L-BFGS works; 0 clips them in the end."`
	PriorWeight       float64       `name:"temporal-weight" min:"0" max:"1e12" help:"Weight of staying near the previous result, moved along with the film."`
	StyleScale        Numbers       `name:"style-scale" brief:"Breadth of the strokes: 2 is broad, 0.5 fine." most:"8" min:"0.05" max:"20" help:"Size of the style beside the picture: 1 gives it as many pixels, 2 twice the width and height, and strokes twice as broad. Several numbers mix strokes of these sizes, in equal shares: 0.5,1."`
	StyleBlendWeights Numbers       `name:"style-blend-weights" min:"0" max:"1e12" help:"Shares of the styles, in their order: 3,1. Equal if not given."`
	Precision         string        `name:"precision" oneof:"auto,fp32,mixed,bf16" help:"What convolutions multiply: fp32; mixed (bf16 backward) or bf16 (both ways), faster on processors that have AVX512-BF16 and on tensor cores; or auto: fp32 for L-BFGS, whose line search bf16 misleads; for Adam, on such machines, bf16, and mixed for the last scale of a photo."`
	Pooling           string        `name:"pooling" oneof:"network,avg,max" help:"Pooling of the network: avg, max, or network (what it was made for)."`
}

// DefaultOptions returns settings that suit most pictures; bench/README.md says how they were
// chosen.
func DefaultOptions() Options {
	return Options{
		OutputSize:      "input",
		Iterations:      Steps{70, 25, 15, 8, 6, 5},
		FrameIterations: 5,
		FrameTolerance:  0.005,
		MinSize:         128,
		Margin:          16,
		Optimizer:       "lbfgs",
		LearningRate:    0.02,
		Average:         0.8,
		Parameters:      "pixels",
		Init:            "previous",
		ColorMatch:      "none",
		LossScale:       "mean",
		StyleLayers:     LayerWeights{{"relu1_1", 64}, {"relu2_1", 16}, {"relu3_1", 4}, {"relu4_1", 1}},
		StyleLoss:       "gram+means",
		LayerReach:      0.4,
		StyleSizes:      Numbers{1, 2, 2},
		ContentLayers:   LayerWeights{{"relu4_2", 1}},
		StyleWeight:     1,
		ContentWeight:   Numbers{0.2, 0.15},
		TVWeight:        Numbers{10, 20, 20, 60, 150, 300},
		GamutWeight:     100,
		PriorWeight:     15,
		StyleScale:      Numbers{1},
		Precision:       "auto",
		Pooling:         "network",
	}
}

// Paints reports whether any scale has steps; if none has, pictures stay as they are.
func (o *Options) Paints() bool { return slices.Max(o.Iterations) > 0 }

// Validate returns an error for the first setting that is out of range; it names the flag.
func (o *Options) Validate() error {
	if err := cmp.Or(limits.Check(o), o.StyleLayers.validate("style-layers"), o.ContentLayers.validate("content-layers")); err != nil {
		return err
	}
	if len(o.StyleBlendWeights) > 0 && slices.Max(o.StyleBlendWeights) == 0 {
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

// at returns the number for scale i; the last one serves all later scales.
func (n Numbers) at(i int) float64 { return n[min(i, len(n)-1)] }

// UnmarshalText reads numbers separated by commas.
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

// Steps is the number of optimiser steps of each scale, coarse to fine, written 100,25,12.
type Steps []int

// at is the number of scale i.
func (s Steps) at(i int) int { return s[min(i, len(s)-1)] }

// UnmarshalText reads whole numbers separated by commas.
func (s *Steps) UnmarshalText(b []byte) error {
	*s = nil
	for _, text := range strings.Split(string(b), ",") {
		v, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		*s = append(*s, v)
	}
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (s Steps) MarshalText() ([]byte, error) {
	var out []string
	for _, v := range s {
		out = append(out, strconv.Itoa(v))
	}
	return []byte(strings.Join(out, ",")), nil
}

// Balanced is the weight that gives a style layer 1/J_style^l(Gram(G) = 0): then all layers
// start with the same loss.
const Balanced = -1

// LayerWeight is one layer of a loss.
type LayerWeight struct {
	Tap    string  // relu4_2
	Weight float64 // at least 0, or Balanced
}

// LayerWeights is written relu1_1:64,relu2_1:16; without a number a style layer is
// balanced and a content layer has weight 1. "balanced" is relu1_1 to relu5_1 without numbers.
type LayerWeights []LayerWeight

// UnmarshalText reads layers separated by commas.
func (l *LayerWeights) UnmarshalText(b []byte) error {
	*l = nil
	if len(b) == 0 {
		return nil
	}
	if strings.TrimSpace(string(b)) == "balanced" {
		b = []byte("relu1_1,relu2_1,relu3_1,relu4_1,relu5_1")
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
		if name == "style-layers" && (w.Weight == Balanced) != (l[0].Weight == Balanced) {
			return fmt.Errorf("--%s: %s has a weight and %s has none: give all layers one, or none", name, weighted(l, true), weighted(l, false))
		}
	}
	return nil
}

// weighted returns the first layer that has a weight, or that has none.
func weighted(l LayerWeights, has bool) string {
	i := slices.IndexFunc(l, func(w LayerWeight) bool { return (w.Weight != Balanced) == has })
	return l[i].Tap
}

var (
	_ encoding.TextUnmarshaler = (*Size)(nil)
	_ encoding.TextUnmarshaler = (*Numbers)(nil)
	_ encoding.TextUnmarshaler = (*Steps)(nil)
	_ encoding.TextUnmarshaler = (*LayerWeights)(nil)
)
