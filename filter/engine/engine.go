// Package engine is the compute boundary: what a processor must do for the
// filter, and nothing of what the filter does with it. An Engine compiles a
// network for one picture size; its Evaluator turns a picture into moments and
// a gradient at those moments into a gradient at the pixels. Losses, options
// and optimisers live above, in package filter.
package engine

import (
	"errors"

	"nstfilter/weights"
)

// MinSide is the shortest side, in pixels, that every engine accepts: relu5_1
// is then one pixel wide.
const MinSide = 16

// Tap asks for the activation of one layer, after its ReLU.
type Tap struct {
	Layer   int  // position in Network.Layers
	Style   bool // Forward gives Gram and Mean
	Content bool // SetContent keeps a target, Forward gives Content
}

// Spec is what an evaluator is compiled for. Taps are in the network's order,
// each layer at most once; layers after the last tap are not evaluated. The
// network's first layer sees the picture's border replicated, every later layer
// sees zeros outside, pooling rounds sizes down.
type Spec struct {
	Network *weights.Network
	Pooling weights.Pooling
	Taps    []Tap
	W, H    int // at least MinSide
	// Precision other than FP32 is only for an engine with Precisions.HasBF16.
	Precision Precision
	// Memory, in bytes, is what the evaluator may take, but for NewVector; 0: no
	// limit. An engine that can work within it does, by evaluating the picture in
	// parts; Engine.Memory then says whether it fits. Others take what they need.
	Memory int64
}

// Engine compiles evaluators. Its methods may be called by several goroutines.
type Engine interface {
	// Name says what computes: "cpu avx512, 2 threads".
	Name() string
	// Memory estimates the bytes that evaluators of all of these allocate side by side,
	// but for NewVector and SetMask.
	Memory(specs ...Spec) int64
	// Compile panics if s is out of range. It fails if there is no memory or the
	// device fails.
	Compile(s Spec) (Evaluator, error)
	// Close frees everything, after all evaluators are closed; the engine is not used
	// again.
	Close()
}

// Precision is what convolutions multiply; they sum in float32.
type Precision int

const (
	FP32  Precision = iota
	Mixed           // float32 forward, bfloat16 backward: the same ReLUs fire
	BF16            // bfloat16 both ways
)

// Vector is a float32 vector that lives where its evaluator computes. A picture
// is a vector of 3·H·W: planes R, G, B, each H rows of W. Every evaluator of the same
// Engine can use it, until the one that made it is closed.
type Vector interface{ Len() int }

// MaxSum is the most terms of one Combine, and pairs of one Dots.
const MaxSum = 64

// Multiple is by·of.
type Multiple struct {
	By float64
	Of Vector
}

// Moments is what Forward says of one tap, with the m of Shares, 1 without a mask.
// Where P is 0 all of it is. Its slices belong to the evaluator and hold until the
// next Forward.
type Moments struct {
	P       float64   // Σ_p m_p; without a mask the positions n_h·n_w
	Gram    []float32 // (C, C): Σ_p m_p a_p a_pᵀ / P; nil unless Tap.Style
	Mean    []float32 // (C): Σ_p m_p a_p / P; nil unless Tap.Style
	Content float64   // Σ_p m_p Δa_pᵀ M Δa_p, Δa = a − target; 0 before SetContent
}

// Gradient is what J says of one tap: its derivatives by that tap's moments.
type Gradient struct {
	Gram    []float32 // (C, C), symmetric: dJ/d(Gram/P); nil is zero
	Mean    []float32 // (C): dJ/dMean; nil is zero
	Content float64   // dJ/dContent
}

// AdamStep holds the numbers of one step of Adam (Kingma and Ba 2015,
// algorithm 1) with the iterates averaged (section 7.2).
type AdamStep struct {
	Rate         float64 // α
	Beta1, Beta2 float64
	Epsilon      float64
	T            int     // step number, from 1, for the bias corrections
	Average      float64 // the mean becomes Average·mean + (1−Average)·x; 0 copies x
	Clamp        bool    // keep x in [0,1]
}

// Evaluator computes for one Spec. It is used by one goroutine at a time. Two
// runs of the same calls give the same bits, whatever the number of threads.
type Evaluator interface {
	// SetMask says how much each pixel counts, in [0,1], H rows of W, from the next
	// Forward on: in the moments by Shares, in TV by pairs. Where it is 0 Backward's
	// gradient is too. nil: all pixels count, as before the first call.
	SetMask(mask []float32)
	// Forward evaluates the network at the picture x and returns one Moments
	// per tap of the Spec.
	Forward(x Vector) []Moments
	// SetContent makes the activations of the latest Forward the content
	// targets. metric[i] is the M of tap i, nil for the identity.
	SetContent(metric [][]float32)
	// Backward writes dJ/dx at the latest Forward's x, from one Gradient per tap.
	// Like SetContent it may read that x again: it must not have changed, and dx
	// must be another vector.
	Backward(dx Vector, g []Gradient)

	// NewVector returns a zero vector of n elements, which lives until Close.
	NewVector(n int) Vector
	// View returns the n elements of v from at on: v's own, not a copy.
	View(v Vector, at, n int) Vector
	Upload(dst Vector, src []float32)
	Download(dst []float32, src Vector)
	// Dots returns the dot product of each pair, summed in float64 over fixed blocks: of 1
	// to MaxSum pairs of vectors of one length. The slice is the evaluator's and holds
	// until the next Dots.
	Dots(pairs ...[2]Vector) []float64
	// Combine does y = Σ by·of, of 1 to MaxSum multiples. y may be one of the vectors.
	Combine(y Vector, sum ...Multiple)
	// Adam updates the parameters x, their moments m and v, and the mean of
	// the iterates from the gradient dx. mean may be nil.
	Adam(x, m, v, mean, dx Vector, s AdamStep)
	// Enlarge does dst = base + a·E·low, E enlarging a picture of ⌈w/2⌉×⌈h/2⌉ to
	// one of w×h by EnlargeTaps. dst may be base; w and h are any from 1.
	Enlarge(dst, base Vector, a float64, low Vector, w, h int)
	// EnlargeAdjoint does dlow = Eᵀ·d.
	EnlargeAdjoint(dlow, d Vector, w, h int)
	// TV returns the mean squared difference between neighbours of the
	// picture x, over both directions and three channels, and adds weight
	// times its gradient to dx. Under a mask a pair counts by the product of its
	// pixels; where none counts TV is 0.
	TV(dx, x Vector, weight float64) float64
	// Gamut returns the mean over all samples, masked or not, of their squared distance
	// from [0,1], and adds weight times its gradient to dx.
	Gamut(dx, x Vector, weight float64) float64
	// Prior returns Σ_p w_p ‖x_p − prior_p‖² / Σ_p 1 and adds weight times
	// its gradient to dx. w has H·W elements.
	Prior(dx, x, prior, w Vector, weight float64) float64
	// Close frees everything; the evaluator is not used again.
	Close()
}

// ErrMemory is in the chain of an error from Compile, and of a Failure, if the device has
// no memory left.
var ErrMemory = errors.New("out of memory")

// Failure is the value with which an evaluator's methods panic if its device fails. After
// it only Close may be called on that evaluator.
type Failure struct{ Err error }

func (f Failure) Error() string { return f.Err.Error() }

func (f Failure) Unwrap() error { return f.Err }

// Sizes returns the width and height of each layer's activation up to the last
// tap of s.
func Sizes(s Spec) (w, h []int) {
	x, y := s.W, s.H
	for i := range s.Network.Layers[:s.Depth()] {
		if s.Network.Layers[i].Pooled() {
			x, y = x/2, y/2
		}
		w, h = append(w, x), append(h, y)
	}
	return w, h
}

// Depth is the number of layers to evaluate: up to the last tap.
func (s Spec) Depth() int {
	if len(s.Taps) == 0 {
		return 0
	}
	return s.Taps[len(s.Taps)-1].Layer + 1
}

// TapOf gives each layer's tap, by its position in Taps; −1: it has none.
func (s Spec) TapOf() []int {
	taps := make([]int, s.Depth())
	for i := range taps {
		taps[i] = -1
	}
	for i, t := range s.Taps {
		taps[t.Layer] = i
	}
	return taps
}
