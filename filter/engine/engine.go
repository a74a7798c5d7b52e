// Package engine is the interface between the filter and what computes. An Engine compiles a
// network for one picture size. Its Evaluator computes the moments of a picture's
// activations, and from gradients with respect to moments the gradient with respect to
// pixels. Losses, options and optimisers are in package filter.
package engine

import (
	"errors"

	"nstfilter/weights"
)

// MinSide is the shortest side, in pixels, that every engine accepts: relu5_1 then has a side
// of one.
const MinSide = 16

// Tap asks for the activation of one layer, after its ReLU.
type Tap struct {
	Layer   int  // position in Network.Layers
	Style   bool // Forward computes Gram and Mean
	Content bool // SetContent stores a target, Forward computes Content
	Region  int  // whose map weights the moments, from 1; 0: none does, they are of the whole picture
}

// Spec is what an evaluator is compiled for. Taps are in the network's order, and
// those of one layer in the order of their regions, each at most once; layers after
// the last tap are not evaluated. The
// network's first layer sees the picture's border replicated, every later layer
// sees zeros outside, pooling rounds sizes down.
type Spec struct {
	Network *weights.Network
	Pooling weights.Pooling
	Taps    []Tap
	W, H    int // at least MinSide
	// Precision other than FP32 is only for an engine with Precisions.HasBF16.
	Precision Precision
	// Memory is how many bytes the evaluator may take, without vectors; 0: no limit. A
	// Tiler keeps it if it can, which Engine.Memory tells; other engines ignore it.
	Memory int64
}

// Engine compiles evaluators. Its methods may be called by several goroutines.
type Engine interface {
	// Name describes what computes: "cpu avx512, 2 threads".
	Name() string
	// Memory estimates the bytes that evaluators of all these specs allocate together,
	// without NewVector and SetMask.
	Memory(specs ...Spec) int64
	// Compile panics if s is out of range. It fails if there is no memory or the
	// device fails.
	Compile(s Spec) (Evaluator, error)
	// Close frees everything, after all evaluators are closed; the engine is not used
	// again.
	Close()
}

// Precision is the type of a convolution's factors; sums are float32.
type Precision int

const (
	FP32  Precision = iota
	Mixed           // float32 forward, bfloat16 backward: the same ReLUs fire
	BF16            // bfloat16 both ways
)

// Vector is a float32 vector in the memory of its engine. A picture is a vector of 3·H·W:
// planes R, G, B, each H rows of W. All evaluators of the engine can use it until the one
// that made it is closed.
type Vector interface{ Len() int }

// MaxSum is the most terms of one Combine, and the most pairs of one Dots.
const MaxSum = 64

// Multiple is by·of.
type Multiple struct {
	By float64
	Of Vector
}

// Moments are Forward's results for one tap. The weights m_p are those of Shares, or 1
// without a mask and a region. If P is 0, all moments are. The slices belong to the evaluator and are
// valid until the next Forward.
type Moments struct {
	P       float64   // Σ_p m_p; without a mask the positions n_h·n_w
	Gram    []float32 // (C, C): Σ_p m_p a_p a_pᵀ / P; nil unless Tap.Style
	Mean    []float32 // (C): Σ_p m_p a_p / P; nil unless Tap.Style
	Content float64   // Σ_p m_p Δa_pᵀ M Δa_p, Δa = a − target; 0 before SetContent
}

// Gradient is the gradient of J with respect to one tap's moments.
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
	// SetMask sets the weight of each pixel, in [0,1], H rows of W, from the next Forward
	// on: moments are weighted by Shares, TV by the products of neighbours. Backward's
	// gradient is 0 where the mask is. nil: all weights are 1, as before the first call.
	// regions has the map of each region, likewise, from region 1 on: the moments of a tap
	// with a Region are weighted by the shares of the mask times its map. Without maps
	// all their weights are 1.
	SetMask(mask []float32, regions ...[]float32)
	// Forward evaluates the network at the picture x and returns one Moments
	// per tap of the Spec.
	Forward(x Vector) []Moments
	// SetContent makes the activations of the latest Forward the content targets.
	// metric[i] is the M of tap i; nil is the identity.
	SetContent(metric [][]float32)
	// Backward writes dJ/dx at the latest Forward's x, from one Gradient per tap. Like
	// SetContent it may read that x again: x must not have changed, and dx must be
	// another vector.
	Backward(dx Vector, g []Gradient)

	// NewVector returns a zero vector of n elements, which lives until Close.
	NewVector(n int) Vector
	// View returns elements at to at+n−1 of v, in v's memory.
	View(v Vector, at, n int) Vector
	Upload(dst Vector, src []float32)
	Download(dst []float32, src Vector)
	// Dots returns the dot product of each of 1 to MaxSum pairs of vectors of one length,
	// summed in float64 over fixed blocks. The slice belongs to the evaluator and is valid
	// until the next Dots.
	Dots(pairs ...[2]Vector) []float64
	// Combine does y = Σ by·of, of 1 to MaxSum multiples. y may be one of the vectors.
	Combine(y Vector, sum ...Multiple)
	// Adam updates the parameters x, their moments m and v, and the mean of
	// the iterates from the gradient dx. mean may be nil.
	Adam(x, m, v, mean, dx Vector, s AdamStep)
	// Enlarge does dst = base + a·E·low, where E enlarges a picture of ⌈w/2⌉×⌈h/2⌉ to
	// w×h by EnlargeTaps. dst may be base; w and h are at least 1.
	Enlarge(dst, base Vector, a float64, low Vector, w, h int)
	// EnlargeAdjoint does dlow = Eᵀ·d.
	EnlargeAdjoint(dlow, d Vector, w, h int)
	// TV returns the mean squared difference between neighbours of the picture x, over
	// both directions and three channels, and adds weight times its gradient to dx. A mask
	// weights each pair by the product of its pixels; if all weights are 0, TV is 0.
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

// Sizes returns the width and height of each layer's activation, up to the last tap.
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

// Depth returns the number of layers to evaluate, up to the last tap.
func (s Spec) Depth() int {
	if len(s.Taps) == 0 {
		return 0
	}
	return s.Taps[len(s.Taps)-1].Layer + 1
}

// TapsOf returns for each layer the positions of its taps in Taps.
func (s Spec) TapsOf() [][]int {
	taps := make([][]int, s.Depth())
	for i, t := range s.Taps {
		taps[t.Layer] = append(taps[t.Layer], i)
	}
	return taps
}
