//go:build cuda

package cuda

import (
	"gorgonia.org/cu"

	"nstfilter/weights"
)

// products multiplies matrices, on ordinary cores (simt) or on tensor cores (tensor); nearly
// all of the time is spent here. Except those that return sizes, methods must be called
// inside device.do and launch on the device's stream. They do not wait, and only filter and
// packFirst allocate. The same call gives the same bits.
//
// Fields have their channels padded with zeros to a multiple of 32. Filters, biases, matrices
// and means are padded likewise, so that the padding of results is zero too.
type products interface {
	// format is the suffix of the elementwise kernels for these fields: "f32" or "split".
	format() string
	// align is a power of two. A window that begins at a multiple of align positions in a
	// layer has activations with the bits of the whole layer's. It is the side of
	// Winograd's tiles, or 1 if a position's sum does not depend on its place.
	align() int

	// filterBytes returns how many bytes filter allocates.
	filterBytes(l *weights.Layer, back bool, terms int) int64
	// filter packs a layer's weights and, forward, its biases. Backward it exchanges input
	// and output channels and rotates the 3×3 kernels by 180°. It allocates with d.alloc,
	// and filter.free frees that. Its error wraps engine.ErrMemory.
	filter(d *device, l *weights.Layer, back bool, terms int) (filter, error)
	// firstBytes returns how many bytes packFirst allocates for a network's first layer.
	firstBytes(l *weights.Layer) int64
	// packFirst packs a network's first convolution, for both directions: weights, biases
	// and the normalisation of the picture. It allocates with d.alloc.
	packFirst(d *device, n *weights.Network) (cu.DevicePtr, error)
	// first evaluates the first convolution and its ReLU in a window.
	first(d *device, j firstJob)
	// firstBack adds the gradient of a window, before the ReLU, to the picture's.
	firstBack(d *device, j firstJob)

	// convScratch returns the bytes of convolution.scratch for padded channels and w×h
	// positions.
	convScratch(in, out, w, h, terms int) int64
	// conv does dst = src * filter, 3×3 with zero padding. Forward it adds biases and
	// applies the ReLU. Backward it may add a tap's gradient and sets dst to 0 where the
	// gate is not positive.
	conv(d *device, j convolution)
	// fuses reports whether conv can do j in place of addTap.
	fuses(j tapJob) bool

	// gramScratch returns the bytes of gramJob.scratch for padded channels.
	gramScratch(c int, core rect, terms int) int64
	// gram adds to the sums of the moments over a core.
	gram(d *device, j gramJob)

	// matrixBytes returns the bytes of a packed n×n matrix; n is not padded.
	matrixBytes(n, terms int) int64
	// matrix packs scale times a symmetric float32 matrix of dst.n rows.
	matrix(d *device, dst packed, src cu.DevicePtr, scale float64)
	// multiply does dst_p = M·src_p at each position p of the core and leaves the rest of
	// dst. src and dst have the same size and are distinct.
	multiply(d *device, m packed, src, dst field, core rect)
	// addTap adds the gradient of a tap's moments.
	addTap(d *device, j tapJob)
}

// padded channels of a field.
func padded(c int) int { return (c + 31) / 32 * 32 }

// field is an activation or a gradient: w×h positions in rows, each of c channels, next
// to each other; channel k of position (x, y) is element (y·w+x)·c+k. In the format f32
// hi holds float32 and lo is 0. In the format split both hold binary16, or bfloat16 for
// gradients; the value is hi+lo. lo may be 0: there is no such plane, and the value is hi.
type field struct {
	hi, lo  cu.DevicePtr
	w, h, c int // c padded
}

// rect is a rectangle of a field, in positions.
type rect struct{ x, y, w, h int }

// shares are the m_p of the positions of a core (engine.Shares), float32: the first is at at,
// and rows are pitch elements apart. at is 0 if all are 1.
type shares struct {
	at    cu.DevicePtr
	pitch int
}

// filter is one convolution's weights for one direction, packed by products.filter.
type filter struct {
	weights cu.DevicePtr // in the products' own layout
	bias    cu.DevicePtr // float32, out of them; 0 backward
	in, out int          // padded; as this direction sees them
	terms   int          // 3: hi·hi + hi·lo + lo·hi; 1: hi·hi; f32 has 1
	unscale float64      // factor for the sums; 0 if the weights are not scaled
}

// free frees the weights.
func (f filter) free(d *device) {
	d.free(f.weights)
	d.free(f.bias)
}

// firstJob is one call of first or firstBack, in a window of the picture.
type firstJob struct {
	x             cu.DevicePtr // the picture or its gradient: float32 (3, height, width)
	width, height int
	x0, y0        int          // the window's corner
	field         field        // as large as the window: the activation, or its gradient
	weights       cu.DevicePtr // from packFirst
}

// convolution is one call of conv. src.c is filter.in, dst.c is filter.out. With one
// term only src.hi is read.
type convolution struct {
	src, dst field
	filter   filter
	gate     cu.DevicePtr // the hi plane of an activation as large as dst: 0 where it is ≤ 0; may be 0: all passes
	tap      *tapJob      // to add, if fuses allows; its da is dst and its a the gate. nil: none
	scratch  cu.DevicePtr
}

// gramJob is one call of gram: gram += Σ_p m_p·a_p·a_pᵀ, means += Σ_p m_p·a_p over the
// positions p of core. It omits products of two lo planes.
type gramJob struct {
	a       field // a.lo 0: one term
	core    rect
	shares  shares
	gram    cu.DevicePtr // float64, c×c in rows; only column ≥ row is read afterwards
	means   cu.DevicePtr // float64, c
	scratch cu.DevicePtr
}

// packed is a symmetric matrix for multiply and addTap: matrixBytes(n, terms) at at.
type packed struct {
	at    cu.DevicePtr // 0: no matrix
	n     int          // not padded
	terms int          // with one term only the fields' hi planes are multiplied
	fused bool         // for conv's tap, not for multiply and addTap
}

// tapJob is one call of addTap. At the positions of core
//
//	da_p += m_p·(D·a_p + meanScale·mean + weight·mdelta_p)
//
// and then da becomes 0 where a ≤ 0 in the whole field, because outside the core da holds the
// gradient from the next layer. Sums are float32 before they are stored.
type tapJob struct {
	a         field // its hi plane is the gate
	da        field
	core      rect
	shares    shares
	d         packed       // d.at 0: no such term
	mean      cu.DevicePtr // float32, a.c; 0: no such term
	meanScale float64
	mdelta    field // as large as a; hi 0: no such term
	weight    float64
}
